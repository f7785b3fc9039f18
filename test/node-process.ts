/**
 * A node as a user runs it: `coppice start` in a process of its own.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../packages/cli/src/main.ts", import.meta.url));

/** A node that is ready. */
export interface NodeProcess {
  readonly name: string;
  readonly process: ChildProcess;
  /** The events of its log, oldest first. */
  readonly events: readonly string[];
  /** Ends it. Resolves to its exit status, null after SIGKILL. */
  readonly stop: (signal: "SIGTERM" | "SIGKILL") => Promise<number | null>;
}

/** Starts an application of this folder on a node, and waits until everything runs. */
export async function startNodeProcess(
  app: string,
  options: {
    readonly name: string;
    readonly args: readonly string[];
    readonly env?: NodeJS.ProcessEnv;
  },
): Promise<NodeProcess> {
  const { name, args, env = {} } = options;
  const module = fileURLToPath(new URL(app, import.meta.url));
  const child = spawn(process.execPath, [main, "start", module, "--name", name, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let said = "";
  const events: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    const event = /"event":"(\w+)"/.exec(line)?.[1];
    if (event !== undefined) events.push(event);
    said += `${line}\n`;
  });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.includes('"ready"')) ready.resolve();
  });
  void exit.then((status) =>
    ready.reject(new Error(`node ${name} ended with ${status}:\n${said}`)),
  );
  await ready.promise;
  const stop = (signal: "SIGTERM" | "SIGKILL"): Promise<number | null> => {
    child.kill(signal);
    return exit;
  };
  return { name, process: child, events, stop };
}
