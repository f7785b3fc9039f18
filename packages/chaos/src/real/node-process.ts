/**
 * A node of the run as a process of this machine, over all its lives.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ChaosNodeOptions, deposedStatus, nodeArguments } from "./node-options.ts";

const program = fileURLToPath(new URL("./chaos-node.ts", import.meta.url));
/** How long a node may take to drain and stop before it is killed, in milliseconds. */
const stopTimeoutMs = 45_000;

/** What is the same for all its lives. */
export type NodeSettings = Omit<
  ChaosNodeOptions,
  "life" | "clockRate" | "uptimeLagMs" | "isAttached"
>;

export interface NodeProcessOptions {
  readonly settings: NodeSettings;
  readonly uptimeLagMs: number;
  /** Where its log goes. */
  readonly folder: string;
  /** Further arguments of Node itself. */
  readonly nodeArgs: readonly string[];
  /** The environment that gives it clocks of that rate. */
  readonly clockEnvironment: (rate: number) => Readonly<Record<string, string>>;
  /** A life begins. */
  readonly onStart: (life: number) => void;
  /** A life ended. `how`: nothing if it was asked for. */
  readonly onEnd: (life: number, how: string | undefined) => void;
}

export class NodeProcess {
  readonly name: string;
  readonly #options: NodeProcessOptions;
  #life = 0;
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);
  #frozenSince: number | undefined;
  /** Whether it is to run. */
  #isWanted = false;

  constructor(options: NodeProcessOptions) {
    this.name = options.settings.name;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Since when, in {@link performance.now} milliseconds. */
  get frozenSince(): number | undefined {
    return this.#frozenSince;
  }

  /** Starts it, unless it runs. Resolves when it has joined and its children run, or has ended. */
  async start(clockRate = 1): Promise<void> {
    if (this.#child !== undefined) return;
    const { settings, folder, nodeArgs, clockEnvironment, uptimeLagMs } = this.#options;
    this.#life += 1;
    const life = this.#life;
    this.#isWanted = true;
    this.#options.onStart(life);
    const log = openSync(join(folder, `${this.name}.log`), "a");
    const args = nodeArguments({ ...settings, life, clockRate, uptimeLagMs, isAttached: true });
    const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
      stdio: ["pipe", "pipe", log],
      env: { ...process.env, ...clockEnvironment(clockRate) },
    });
    closeSync(log);
    this.#child = child;
    child.stdin!.on("error", () => {}); // It has ended: its exit says so.
    this.#ended = new Promise((resolve) => {
      child.once("exit", (status, signal) => {
        this.#child = undefined;
        this.#frozenSince = undefined;
        const isDeposed = this.#isWanted && status === deposedStatus;
        const isExpected = isDeposed || !this.#isWanted;
        this.#options.onEnd(life, isExpected ? undefined : `${signal ?? status}`);
        if (isDeposed) void this.start(clockRate);
        resolve(status);
      });
    });
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout! }).once("line", () => resolve());
    });
    await Promise.race([ready, this.#ended]);
  }

  /** Kills it, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  freeze(): void {
    if (this.#child?.kill("SIGSTOP") === true) this.#frozenSince = performance.now();
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
    this.#frozenSince = undefined;
  }

  /** Asks it to drain and stop. Resolves to its exit status; nothing if it had to be killed. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    this.#isWanted = false;
    this.thaw();
    child?.kill("SIGTERM");
    const timer = setTimeout(() => child?.kill("SIGKILL"), stopTimeoutMs);
    const status = await this.#ended;
    clearTimeout(timer);
    return status;
  }

  /** A line for its stdin: see `chaos-node.ts`. */
  command(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }
}
