/**
 * A nats-server and nodes in processes of their own, for the cluster's figures.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface BenchServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts a server with JetStream on a free port of this machine; its files are removed when it ends. */
export async function startBenchServer(): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-bench-"));
  const port = await freePort();
  const args = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder];
  const server = spawn("nats-server", args, { stdio: ["ignore", "ignore", "pipe"] });
  await lineOf(server, /Server is ready/);
  return {
    url: `nats://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await ended(server, "SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface BenchNode {
  readonly process: ChildProcess;
  /** Ends it, without a word to anybody with SIGKILL. */
  readonly end: (signal: "SIGTERM" | "SIGKILL") => Promise<void>;
}

/** Starts `cluster-node.ts` in a process and waits until it is ready. */
export async function startBenchNode(args: readonly string[]): Promise<BenchNode> {
  const program = fileURLToPath(new URL("cluster-node.ts", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await lineOf(child, /^ready/);
  return { process: child, end: (signal) => ended(child, signal) };
}

function lineOf(child: ChildProcess, pattern: RegExp): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  createInterface({ input: child.stderr! }).on("line", (line) => {
    if (pattern.test(line)) resolve();
  });
  child.once("error", reject);
  child.once("exit", (code) =>
    reject(new Error(`a process ended with ${code} before it was ready`)),
  );
  return promise;
}

function ended(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill(signal);
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  const { promise, resolve } = Promise.withResolvers<number>();
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
  });
  return promise;
}
