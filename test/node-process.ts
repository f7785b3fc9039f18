/**
 * A node as a process of its own: `coppice start` with an application, and what it logs.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface NodeProcess {
  readonly name: string;
  readonly process: ChildProcess;
  /** The events of its log, oldest first. */
  readonly events: string[];
  /** Ends it, and waits until it is gone. Returns its exit status. */
  readonly stop: (signal: "SIGTERM" | "SIGKILL") => Promise<number | null>;
}

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Starts one and waits until its application runs. */
export async function startNodeProcess(options: {
  readonly name: string;
  readonly cluster: string;
  readonly servers: readonly string[];
  /** A module, from the root of the repository. */
  readonly application: string;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<NodeProcess> {
  const { name, cluster, servers, application, environment = {} } = options;
  const where = ["--servers", servers.join(","), "--cluster", cluster, "--name", name];
  const args = [file("packages/cli/src/main.ts"), "start", file(application), ...where];
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.includes('"ready"')) ready.resolve();
  });
  const events: string[] = [];
  const tail: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    const event = /"event":"(\w+)"/.exec(line)?.[1];
    if (event !== undefined) events.push(event);
    else tail.push(line);
  });
  void exit.then((status) =>
    ready.reject(new Error(`node ${name} ended with ${status}: ${tail.join("\n")}`)),
  );
  await ready.promise;
  const stop = (signal: "SIGTERM" | "SIGKILL"): Promise<number | null> => {
    child.kill(signal);
    return exit;
  };
  return { name, process: child, events, stop };
}
