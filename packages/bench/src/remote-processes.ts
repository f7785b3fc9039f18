/**
 * The processes of the remote-call benchmark: a program of this folder, and what it reports, one JSON value a line.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
/** How long a process may take to report, in milliseconds. */
const reportMsMax = 60_000;

/** A process that reports. */
export interface Reporting {
  /** The next report. Rejects when the process ends without one. */
  readonly next: () => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

/** Runs a TypeScript program of this folder. */
export function startProgram(name: string, args: readonly string[]): Reporting {
  return startReporting(process.execPath, [`${folder}${name}`, ...args], {});
}

/** Runs any program. What it says on stderr is shown when it fails. */
export function startReporting(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Reporting {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const timer = setTimeout(() => child.kill("SIGKILL"), reportMsMax);
    const line = await lines.next();
    clearTimeout(timer);
    if (line.done === true) throw new Error(`${command} ${args.join(" ")}: ${errors.join("\n")}`);
    return JSON.parse(line.value) as unknown;
  };
  return { next, stop: () => kill(child, ended) };
}

async function kill(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill("SIGKILL");
  await ended;
}
