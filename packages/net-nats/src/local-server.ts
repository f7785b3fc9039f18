/**
 * A nats-server on this machine: where its program is, and one life of it.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { NatsServerError } from "./errors.ts";

/** A server that was started here. */
export interface LocalNatsServer {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Ends it and waits until it is gone. */
  readonly stop: () => Promise<void>;
}

/** How to start one. */
export interface LocalServerOptions {
  readonly executable: string;
  /** A folder of its own: its configuration and JetStream's files. */
  readonly storeDir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Whether to run JetStream. Default: true. */
  readonly jetstream?: boolean;
  /** Further lines of its configuration: accounts, TLS, limits. Default: none. */
  readonly configuration?: string;
}

/** Lines of its log kept for the error when it does not start. */
const logLinesMax = 20;
const host = "127.0.0.1";

/** The program: the one given, else the first `nats-server` in the folders of `path` and the usual ones. */
export function findNatsServer(options: {
  readonly given?: string | undefined;
  readonly path: string;
}): string | undefined {
  if (options.given !== undefined && options.given !== "") return options.given;
  const folders = [...options.path.split(delimiter), "/usr/sbin", "/usr/local/bin"];
  return folders.map((folder) => join(folder, "nats-server")).find(isExecutable);
}

/** A port of 127.0.0.1 that was free a moment ago; `preferred` if that is. */
export async function freePort(preferred = 0): Promise<number> {
  const probe = createServer();
  const { promise, resolve } = Promise.withResolvers<number>();
  probe.once("error", () => resolve(0));
  probe.listen(preferred, host, () => {
    const address = probe.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    probe.close(() => resolve(port));
  });
  const port = await promise;
  return port === 0 && preferred !== 0 ? freePort() : port;
}

/**
 * Starts a server with JetStream and waits until it accepts clients.
 *
 * @throws {NatsServerError} with the end of its log if it ends instead.
 */
export async function startNatsServer(options: LocalServerOptions): Promise<LocalNatsServer> {
  const { executable, storeDir } = options;
  const port = options.port ?? (await freePort());
  await mkdir(storeDir, { recursive: true });
  const config = join(storeDir, "nats-server.conf");
  await writeFile(config, configurationOf(port, options));
  const server = spawn(executable, ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => {
    server.once("exit", () => resolve());
    server.once("error", () => resolve());
  });
  await ready(server, executable);
  const stop = async (): Promise<void> => {
    server.kill("SIGTERM");
    await ended;
  };
  return { url: `nats://${host}:${port}`, port, process: server, stop };
}

function configurationOf(port: number, options: LocalServerOptions): string {
  const { storeDir, jetstream = true, configuration = "" } = options;
  const store = JSON.stringify(join(storeDir, "jetstream"));
  const lines = [`host: ${host}`, `port: ${port}`, configuration];
  if (jetstream) lines.push(`jetstream { store_dir: ${store}, max_file: 256MB, max_mem: 64MB }`);
  return `${lines.join("\n")}\n`;
}

function ready(server: ChildProcess, executable: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const log: string[] = [];
  const lines = createInterface({ input: server.stderr! });
  lines.on("line", (line) => {
    if (log.push(line) > logLinesMax) log.shift();
    if (line.includes("Server is ready")) resolve();
  });
  server.once("error", (cause) => {
    reject(new NatsServerError(`${executable} cannot be run: ${cause.message}`, { cause }));
  });
  server.once("exit", (code, signal) => {
    const tail = log.join("\n");
    reject(
      new NatsServerError(`${executable} ended (${signal ?? code}) before it was ready:\n${tail}`),
    );
  });
  return promise;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
