/**
 * One run of the demo as a child process, with the moments of its steps.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A line the demo said, and when, in milliseconds after its start. */
export interface Step {
  readonly atMs: number;
  readonly text: string;
}

export interface DemoRun {
  readonly process: ChildProcess;
  readonly steps: readonly Step[];
  readonly readyMs: number;
  /** Resolves with the next line that matches. */
  readonly line: (pattern: RegExp) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Runs a command that is the demo, and waits until it is ready. */
export async function runDemo(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<DemoRun> {
  const [program = "", ...args] = command;
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const steps: Step[] = [];
  const waiting = new Set<{ readonly pattern: RegExp; readonly resolve: (line: string) => void }>();
  createInterface({ input: child.stderr }).on("line", (text) => {
    steps.push({ atMs: performance.now() - startedMs, text });
    for (const each of waiting) {
      if (!each.pattern.test(text)) continue;
      waiting.delete(each);
      each.resolve(text);
    }
  });
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ready = Promise.withResolvers<number>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    if (text.startsWith("ready ")) ready.resolve(performance.now() - startedMs);
  });
  void exit.then(() => {
    const said = steps.map(({ text }) => text).join("\n");
    return ready.reject(new Error(`the demo ended before it was ready:\n${said}`));
  });
  const readyMs = await ready.promise;
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve) => {
      waiting.add({ pattern, resolve });
    });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await exit;
  };
  return { process: child, steps, readyMs, line, stop };
}
