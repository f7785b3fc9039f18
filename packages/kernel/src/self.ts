/**
 * A process's own view of itself: what its code may do in its name.
 *
 * @module
 */
import type { Behaviour, Incoming, ProcessFunction, SpawnOptions } from "./behaviour.ts";
import { ExitError } from "./errors.ts";
import { type ExitReason, killed } from "./exit-reason.ts";
import type { CallOptions, Delivery, DemonitorOptions, MonitorOptions } from "./kernel-options.ts";
import type { Kernel } from "./kernel.ts";
import { type Address, type Pid, samePid } from "./pid.ts";
import type { ReceiveOptions } from "./receive.ts";

const anyMessage = (): boolean => true;

/** Handed to every step of a process. Once the process has ended, nothing done through it has an effect. */
export class Self {
  readonly pid: Pid;
  readonly kernel: Kernel;

  constructor(kernel: Kernel, pid: Pid) {
    this.kernel = kernel;
    this.pid = pid;
  }

  /** Fires when this process ends, so that what it awaits can stop. */
  get signal(): AbortSignal {
    return this.kernel.side.abortSignal(this.pid);
  }

  /** The process that started this one. */
  get parent(): Pid | undefined {
    return this.kernel.side.parent(this.pid);
  }

  /**
   * Whether an exit signal from there asks this process to stop: from its parent, or, for one without a parent, from
   * code outside of any process.
   */
  isParent(from: Pid): boolean {
    return samePid(from, this.parent ?? this.pid);
  }

  /**
   * Takes the oldest message that `wanted` accepts, and waits for one if there is none (A7.1). The others stay, in their
   * order. Undefined: `timeoutMs` passed. For a process that is a function, and inside a handler of others.
   *
   * @throws {ExitError} when the process ends meanwhile, so that its code lets go of what it holds.
   * @throws {RangeError} if another `receive` of this process waits, or `timeoutMs` is negative or NaN.
   */
  receive(
    wanted?: (message: Incoming) => boolean,
    options?: { readonly since?: number },
  ): Promise<Incoming>;
  receive(
    wanted: ((message: Incoming) => boolean) | undefined,
    options: ReceiveOptions,
  ): Promise<Incoming | undefined>;
  receive(
    wanted: ((message: Incoming) => boolean) | undefined = anyMessage,
    options: ReceiveOptions = {},
  ): Promise<Incoming | undefined> {
    return this.kernel.side.receive(this.pid, wanted, options);
  }

  /** For `receive({ since })`: a place in the mailbox, after all that has arrived. */
  mark(): number {
    return this.kernel.side.mark(this.pid);
  }

  /** Starts a process. @throws {NameTakenError} as {@link Kernel.spawn}. @throws {ExitError} if this one has ended. */
  spawn(code: Behaviour | ProcessFunction, options?: SpawnOptions): Pid {
    this.#assertAlive();
    return this.kernel.spawn(code, { parent: this.pid, ...options });
  }

  /** Starts a process linked to this one: no exit can be missed between the two (A4.6). */
  spawnLink(code: Behaviour | ProcessFunction, options?: SpawnOptions): Pid {
    this.#assertAlive();
    return this.kernel.spawn(code, { ...options, link: this.pid });
  }

  /** Starts a process and monitors it (A4.6). */
  spawnMonitor(
    code: Behaviour | ProcessFunction,
    options?: SpawnOptions,
  ): { readonly pid: Pid; readonly ref: number } {
    const pid = this.spawn(code, options);
    return { pid, ref: this.monitor(pid) };
  }

  /**
   * Sends a plain message, as a copy. A dead receiver is not an error (A5.2). While this process may not act for its name the
   * message waits, and it is dropped if the process ends meanwhile (N2). @throws as {@link Kernel.send}.
   */
  send(to: Address, message: unknown): Delivery {
    return this.kernel.side.send(this.pid, to, message);
  }

  /** Sends a request nobody waits for; it waits as in {@link send}. @throws as {@link Kernel.cast}. */
  cast(to: Address, method: string, args: readonly unknown[]): Delivery {
    return this.kernel.side.cast(this.pid, to, method, args);
  }

  /**
   * Calls another process.
   *
   * @throws {CallError} as {@link Kernel.call}, also with `calling_self`.
   * @throws {ExitError} if this process has ended.
   */
  call(
    to: Address,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    if (!this.kernel.isAlive(this.pid)) return Promise.reject(new ExitError(killed));
    return this.kernel.call(to, method, args, { ...options, from: this.pid });
  }

  /**
   * Puts a message into this process's own mailbox, of any value and also when it is full: a step to take later, or, with
   * `first`, before all that waits. What does this without end fills its own mailbox.
   */
  remind(message: unknown, { first = false }: { readonly first?: boolean } = {}): void {
    this.kernel.side.remind(this.pid, message, first);
  }

  /** Sends an exit signal to another process (A2.1). */
  exitOther(to: Pid, reason: ExitReason): void {
    if (this.kernel.isAlive(this.pid)) this.kernel.exit(to, reason, this.pid);
  }

  /**
   * Links this process to another (A3.1): when one ends, the other gets an exit signal.
   *
   * @throws {NoProcessError} if the other has ended on this node and this process does not trap exits (A3.4).
   */
  link(to: Pid): void {
    this.kernel.side.link(this.pid, to);
  }

  /** Removes a link; no new exit signal of it arrives afterwards (A3.3). */
  unlink(to: Pid): void {
    this.kernel.unlink(this.pid, to);
  }

  /** Watches another process: a `down` message with the returned reference arrives once, when it ends (A4). */
  monitor(target: Address, options: MonitorOptions = {}): number {
    return this.kernel.side.monitor(this.pid, target, options);
  }

  /**
   * Stops watching; no `down` with this reference is delivered afterwards. One that waits stays, unless `flush` (A4.5).
   * Whether the monitor was active: false once it has fired.
   */
  demonitor(ref: number, options: DemonitorOptions = {}): boolean {
    return this.kernel.side.demonitor(this.pid, ref, options);
  }

  /**
   * Another address of this process: messages to it arrive until {@link unalias}, or with `once` until the first one has.
   * What is sent to it later is dropped (A4.7). It takes plain messages alone, no casts and no calls.
   */
  alias({ once = false }: { readonly once?: boolean } = {}): Pid {
    return this.kernel.side.alias(this.pid, once);
  }

  /** Ends an alias. Whether it was active. */
  unalias(alias: Pid): boolean {
    return this.kernel.side.unalias(alias);
  }

  /** Sends this process a message after `ms` milliseconds; see {@link Kernel.sendAfter}. */
  sendAfter(ms: number, message: unknown, to: Pid | string = this.pid): number {
    return this.kernel.isAlive(this.pid) ? this.kernel.sendAfter(ms, to, message) : 0;
  }

  /** As {@link sendAfter}; what arrives is `{ type: "timeout", ref, message }`. */
  startTimer(ms: number, message: unknown, to: Pid | string = this.pid): number {
    return this.kernel.isAlive(this.pid) ? this.kernel.startTimer(ms, to, message) : 0;
  }

  /** See {@link Kernel.cancelTimer}. */
  cancelTimer(ref: number): number | false {
    return this.kernel.cancelTimer(ref);
  }

  /** See {@link Kernel.readTimer}. */
  readTimer(ref: number): number | false {
    return this.kernel.readTimer(ref);
  }

  /** Turns exit signals into messages, or back (A2.4). */
  trapExit(trap: boolean): void {
    this.kernel.side.trapExit(this.pid, trap);
  }

  /** Says something about this process to those who look at it: plain data, shown by `Kernel.info`. */
  label(key: string, value: unknown): void {
    this.kernel.side.label(this.pid, key, value);
  }

  /** Gives back memory that an idle process does not need. Nothing else changes. */
  hibernate(): void {
    this.kernel.side.hibernate(this.pid);
  }

  /** Ends this process as a throw in one of its steps would: for work that goes on outside of them. */
  crash(thrown: unknown): void {
    this.kernel.side.crash(this.pid, thrown);
  }

  /** Ends this process. Returns, but nothing this process does afterwards has an effect. */
  exit(reason: ExitReason): void {
    this.kernel.side.exit(this.pid, reason);
  }

  #assertAlive(): void {
    if (!this.kernel.isAlive(this.pid)) throw new ExitError(killed);
  }
}
