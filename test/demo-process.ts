/**
 * The demo as a user runs it: a process, its addresses, and the `coppice` command beside it.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const command = file("packages/cli/src/main.ts");

/** A demo that runs. */
export interface RunningDemo {
  readonly process: ChildProcess;
  readonly urls: readonly string[];
  /** What it has said on stderr so far. */
  readonly said: () => string;
  /** Resolves to its exit status. */
  readonly exit: Promise<number | null>;
}

/** Starts a demo and waits for its `ready` line. */
export async function startDemo(env: Readonly<Record<string, string>> = {}): Promise<RunningDemo> {
  const child = spawn(process.execPath, [file("packages/cli/src/demo/main.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = Promise.withResolvers<readonly string[]>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [word, ...urls] = line.split(" ");
    if (word === "ready") ready.resolve(urls);
  });
  void exit.then((status) => ready.reject(new Error(`the demo ended (${status}):\n${said}`)));
  return { process: child, urls: await ready.promise, said: () => said, exit };
}

/** What a command printed, and how it ended. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `coppice` with these arguments. */
export function coppice(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 30_000 };
    execFile(process.execPath, [command, ...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ status, stdout, stderr });
    });
  });
}

/** The rows a command prints with `-o json`. */
export async function rows<T>(...args: readonly string[]): Promise<T[]> {
  const { status, stdout, stderr } = await coppice([...args, "-o", "json"]);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T[];
}

/** Whether a process is there. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // No such process: the only error for one of our own.
  }
}

/** The processes below another, as Linux lists them. */
export async function descendants(pid: number): Promise<number[]> {
  const listing = await new Promise<string>((resolve, reject) => {
    execFile("ps", ["-eo", "pid=,ppid="], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
  const pairs = listing
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([each]) => [each!, ...below(each!)]);
  return below(pid);
}
