/**
 * A nats-server of a suite, over all its lives: on an address and below a folder of the suite's choice.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort, NatsServerError } from "@coppice/net-nats";
import type { SuiteEnvironment } from "./suite-cluster.ts";

const startTimeoutMs = 15_000;
const logLinesMax = 20;

export interface NatsProcessOptions {
  readonly executable: string;
  /** Where its configuration goes. */
  readonly folder: string;
  /** Where JetStream keeps its files. */
  readonly storeDir: string;
  readonly host: string;
  readonly port: number;
  /** What goes before the command. Default: nothing. */
  readonly enter?: readonly string[];
}

/** Starts one on this machine itself. */
export async function startLocalNats(
  { folder, natsServer: executable, cleanup }: SuiteEnvironment,
  storeDir: string,
): Promise<NatsProcess> {
  const port = await freePort();
  const nats = new NatsProcess({ executable, folder, storeDir, host: "127.0.0.1", port });
  await nats.start();
  cleanup.add(() => nats.kill());
  return nats;
}

export class NatsProcess {
  readonly url: string;
  readonly #options: NatsProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: NatsProcessOptions) {
    this.#options = options;
    this.url = `nats://${options.host}:${options.port}`;
  }

  /** Resolves when it takes connections. @throws {NatsServerError} with the end of its log if it does not. */
  async start(): Promise<void> {
    const { executable, enter = [] } = this.#options;
    const config = this.#writeConfiguration();
    const [program, ...args] = [...enter, executable, "-c", config] as const;
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    const log: string[] = [];
    const ready = Promise.withResolvers<true>();
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (log.push(line) > logLinesMax) log.shift();
      if (line.includes("Server is ready")) ready.resolve(true);
    });
    const timeout = AbortSignal.timeout(startTimeoutMs);
    const late = new Promise((resolve) => timeout.addEventListener("abort", resolve));
    if ((await Promise.race([ready.promise, this.#ended, late])) === true) return;
    await this.kill();
    throw new NatsServerError(`nats-server did not become ready:\n${log.join("\n")}`);
  }

  /** Kills it, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  #writeConfiguration(): string {
    const { folder, storeDir, host, port } = this.#options;
    mkdirSync(folder, { recursive: true });
    const config = join(folder, "nats-server.conf");
    const store = JSON.stringify(storeDir);
    writeFileSync(
      config,
      `host: ${host}\nport: ${port}\njetstream { store_dir: ${store}, max_file: 128MB, max_mem: 64MB }\n`,
    );
    return config;
  }
}
