/**
 * One node of the demo, as a child process: started, listened to, stopped.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CoppiceError } from "@coppice/kernel";

/** One line of a node's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A node of the demo did not start. */
export class DemoNodeError extends CoppiceError {
  static {
    this.prototype.name = "DemoNodeError";
  }
  readonly code = "demo_node_failed";
}

/** How to start one. */
export interface DemoNodeOptions {
  readonly name: string;
  readonly port: number;
  readonly servers: string;
  readonly cluster: string;
  readonly component: string;
  readonly cacheDir: string;
  readonly secret: string;
  readonly onLog: (line: LogLine) => void;
}

/** How long a node has to stop before it is killed, in milliseconds. */
const stopTimeoutMs = 5_000;
/** Lines kept for the error when a node does not start. */
const tailLinesMax = 5;

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const app = fileURLToPath(new URL("../../../chat/src/app.ts", import.meta.url));

export class DemoNode {
  readonly name: string;
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  /** Its address, once it is ready. @throws {DemoNodeError} if it ends instead. */
  readonly ready: Promise<string>;
  #running = true;

  constructor(options: DemoNodeOptions) {
    const { name, port, servers, cluster, component, cacheDir, secret, onLog } = options;
    const settings = [
      `port=${port}`,
      `component=${component}`,
      `cacheDir=${cacheDir}`,
      `secret=${secret}`,
    ];
    const args = ["start", app, "--name", name, "--servers", servers, "--cluster", cluster];
    this.name = name;
    this.process = spawn(
      process.execPath,
      [main, ...args, "--until-stdin-ends", "--set", ...settings],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    this.ended = new Promise((resolve) => {
      this.process.once("exit", () => {
        this.#running = false;
        resolve();
      });
    });
    const tail: string[] = [];
    createInterface({ input: this.process.stderr! }).on("line", (line) => {
      const parsed = parseLine(line);
      if (parsed !== undefined) return onLog(parsed);
      if (tail.push(line) > tailLinesMax) tail.shift();
    });
    this.ready = this.#untilReady(tail);
  }

  get isRunning(): boolean {
    return this.#running;
  }

  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), stopTimeoutMs);
    await this.ended;
    clearTimeout(timer);
  }

  #untilReady(tail: readonly string[]): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let url = "";
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      const parsed = parseLine(line);
      if (parsed?.["event"] === "listening") url = String(parsed["url"]);
      if (parsed?.["event"] === "ready") resolve(url);
    });
    this.process.once("exit", () => {
      const why = tail.length > 0 ? tail.join("\n") : "its log says why";
      reject(new DemoNodeError(`node ${this.name} did not start: ${why}`));
    });
    return promise;
  }
}

/** Undefined for what is no JSON object: an engine's own words, say. */
function parseLine(line: string): LogLine | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === "object" && value !== null ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
