/**
 * Gen-servers: a class whose fields are the state and whose public methods are what others may call or cast.
 *
 * @example A counter
 * ```ts
 * import assert from "node:assert/strict";
 * import { GenServer, startNode } from "coppice";
 *
 * class Counter extends GenServer {
 *   #count = 0;
 *   add(amount: number): number {
 *     this.#count += amount;
 *     return this.#count;
 *   }
 * }
 *
 * await using node = await startNode({ name: "a", cluster: "example" });
 * await node.start({
 *   strategy: "one_for_one",
 *   children: [{ id: "counter", name: "counter", start: [Counter] }],
 * });
 * const counter = node.ref<Counter>("counter");
 * counter.cast("add", [2]);
 * assert.equal(await counter.call("add", [3]), 5);
 * ```
 *
 * @module
 */
import type { ExitReason, Pid } from "@coppice/kernel";
import type { ServerSelf } from "./server-self.ts";

/** A gen-server's class: what a child specification names. */
export type GenServerClass<S extends GenServer = GenServer> = new (...args: any[]) => S;

/**
 * Extend it. Every method the subclass declares is callable by name from any process, except the callbacks below and
 * names that start with `_`; arguments and results are plain data. TypeScript's `private` is not there at run time: what must
 * not be called starts with `#` or `_`. A throw ends the server (let it crash), except a thrown `CallError` with the code `denied`,
 * `bad_argument` or `failed`, which is answered to the caller. At most one callback or method runs at a time: the next message waits
 * for the promise of the last.
 */
export abstract class GenServer {
  /** Set before `init` runs. */
  self!: ServerSelf;

  /** Whether exit signals become `handleExit` and `terminate` runs on shutdown (A2.4, B4.1). */
  static readonly trapExit: boolean = false;

  /** Which version of the class this is: what `codeChange` of a later one is told. */
  static readonly version: string = "1";

  /** Runs before the first message; a throw is why the server did not start. `this.self.ignore()`: there is nothing to run. */
  init?(): void | Promise<void>;
  /** A plain message (B3.2). Without this method it is logged and dropped (B3.7). */
  handleInfo?(message: unknown): void | Promise<void>;
  /** A monitored process ended. Without this method, as `handleInfo` of none. */
  handleDown?(ref: number, pid: Pid | undefined, reason: ExitReason): void | Promise<void>;
  /** A linked process other than the parent ended, with `trapExit` (B4.3). */
  handleExit?(from: Pid, reason: ExitReason): void | Promise<void>;
  /** What `this.self.continueWith` asked for. */
  handleContinue?(about: unknown): void | Promise<void>;
  /** No message arrived within the time given to `this.self.idle`. */
  handleTimeout?(): void | Promise<void>;
  /**
   * Runs when a callback threw, on `this.self.stop`, on `stopGenServer`, and with `trapExit` on the parent's exit (B4.1). Not
   * when the process is killed, and not after a failed `init` (B4.2). What it throws becomes the exit reason (B4.4).
   */
  terminate?(reason: ExitReason): void | Promise<void>;
  /**
   * Takes over from a server of another version: `state` is what its `save` returned, or its public fields. A throw keeps the
   * old server (B4.7).
   */
  codeChange?(oldVersion: string, state: unknown, extra: unknown): void | Promise<void>;
  /** What reports and `getStatus` show of the state. Without it: the public fields. */
  formatStatus?(): unknown;
  /** The state as plain data, for another instance's `load` or `codeChange`. */
  save?(): unknown;
  /** Takes a saved state. */
  load?(state: unknown): void;
}
