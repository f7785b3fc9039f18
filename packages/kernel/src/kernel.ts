/**
 * The kernel of one node: what can be done to processes, by their own code and from outside.
 *
 * Invariants:
 *   K1. At most one step of a process runs at a time; the next message waits for the promise of the last.
 *   K2. A process ends once. Its names, links and watchers are released before anyone can observe the end (A1.5).
 *   K3. Signals from one process to another take effect in sending order (A6.1).
 *   K4. Every call settles exactly once: by a reply, the callee's end, its node's loss, or its deadline.
 *   K5. A throw never leaves a process: it becomes the exit reason.
 *
 * @module
 */
import { AwayCalls } from "./away-calls.ts";
import type {
  Behaviour,
  From,
  Outcome,
  ProcessFunction,
  SpawnOptions,
  StartResult,
} from "./behaviour.ts";
import type { Clock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";
import { CallError, NameNotRegisteredError } from "./errors.ts";
import { type ExitReason, kill, noconnection, noproc } from "./exit-reason.ts";
import { failed, mailboxFull, noProcess, refused, unreachable } from "./failures.ts";
import {
  type CallOptions,
  callTimeoutMsDefault,
  type Delivery,
  type KernelOptions,
} from "./kernel-options.ts";
import type { Logger } from "./logger.ts";
import { LocalCall, type LocalRequest } from "./open-call.ts";
import { type Address, describeAddress, NamedPid, Pid, samePid } from "./pid.ts";
import { copyPlainData } from "./plain-data.ts";
import { ProcessEnds } from "./process-ends.ts";
import { describeProcess, type ProcessInfo } from "./process-info.ts";
import { ProcessRunner } from "./process-runner.ts";
import { ProcessSide } from "./process-side.ts";
import { ProcessTable } from "./process-table.ts";
import { ProcessTimers } from "./process-timers.ts";
import type { Process, Watcher } from "./process.ts";
import type { Random } from "./random.ts";
import { RemoteMonitors } from "./remote-monitors.ts";
import { SignalReceiver } from "./signal-receiver.ts";
import type { NodeAddress, Remote, Signal } from "./signal.ts";

const noOptions: SpawnOptions & CallOptions = {};

/** The processes of one node. */
export class Kernel {
  readonly address: NodeAddress;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What `Self` does, on behalf of its process. */
  readonly side: ProcessSide;
  readonly #table: ProcessTable;
  readonly #ends: ProcessEnds;
  readonly #timers: ProcessTimers;
  readonly #runner: ProcessRunner;
  readonly #receiver: SignalReceiver;
  readonly #deadlines: Deadlines;
  readonly #awayCalls: AwayCalls;
  readonly #remoteMonitors = new RemoteMonitors();
  #remote: Remote = { deliver: () => false };
  #refs = 0;

  constructor({ node, incarnation, clock, random, logger }: KernelOptions) {
    this.address = { node, incarnation };
    this.clock = clock;
    this.random = random;
    this.logger = logger;
    const table = new ProcessTable(this, this.address);
    const timers = new ProcessTimers(clock, table);
    const route = (signal: Signal): void => void this.#route(signal as Signal & { to: Pid });
    const ends = new ProcessEnds({ table, timers, logger, route });
    const runner = new ProcessRunner(clock, ends);
    const deliver = (signal: Signal): boolean => this.#remote.deliver(signal);
    const receiver = new SignalReceiver({ table, ends, runner, logger, route, deliver });
    this.#table = table;
    this.#ends = ends;
    this.#timers = timers;
    this.#runner = runner;
    this.#receiver = receiver;
    this.#deadlines = new Deadlines(clock);
    this.#awayCalls = new AwayCalls(this.#deadlines);
    this.side = new ProcessSide({ kernel: this, table, ends, runner });
  }

  /** Sets what carries signals to other nodes. */
  connect(remote: Remote): void {
    this.#remote = remote;
  }

  /**
   * Starts a process and returns at once; its `start` runs before its first message.
   *
   * @throws {NameTakenError} if `name` is registered.
   */
  spawn(code: Behaviour | ProcessFunction, options: SpawnOptions = noOptions): Pid {
    return this.#spawn(code, options).pid;
  }

  /**
   * Starts a process and waits until its `start` has returned: OTP's `start_link` with `link`, `start` without. A process
   * that is a function has started when it runs.
   */
  start(
    code: Behaviour | ProcessFunction,
    options: SpawnOptions = noOptions,
  ): Promise<StartResult> {
    const holder = options.name === undefined ? undefined : this.#table.named(options.name);
    if (holder !== undefined) {
      const value = { type: "already_started", pid: holder.pid };
      return Promise.resolve({ type: "failed", reason: { type: "exit", value } });
    }
    const process = this.#spawn(code, options);
    const { startMs = Infinity } = options;
    return new Promise((resolve) => {
      let overdue = false;
      const cancel =
        startMs === Infinity
          ? undefined
          : this.clock.after(startMs, () => {
              overdue = true;
              this.exit(process.pid, kill);
            });
      process.started = (failure) => {
        cancel?.();
        if (failure === undefined) resolve({ type: "started", pid: process.pid });
        else if (overdue) resolve({ type: "failed", reason: startTimedOut(startMs) });
        else if (failure.type === "normal") resolve({ type: "ignored" });
        else resolve({ type: "failed", reason: failure });
      };
    });
  }

  /** Whether the process is alive. A process of another node: whether it is, is not known, so false. */
  isAlive(pid: Pid): boolean {
    return this.#table.get(pid) !== undefined;
  }

  /** The live process registered under a local name. */
  whereis(name: string): Pid | undefined {
    return this.#table.named(name)?.pid;
  }

  /**
   * Registers a live local process under a name of this node.
   *
   * @throws {NameTakenError} if the name is taken.
   * @throws {RangeError} if the process is not alive here, or has a name, or the name is empty or too long.
   */
  register(name: string, pid: Pid): void {
    this.#table.register(name, pid);
  }

  /** Frees a name; its process goes on. Whether it was registered. */
  unregister(name: string): boolean {
    return this.#table.unregister(name);
  }

  /**
   * Sends a plain message, as a copy. A pid that has ended, or a mailbox that is full, is not an error here; what is
   * known at once is returned.
   *
   * @throws {NameNotRegisteredError} if nothing is registered under the name (A5.2).
   * @throws {NotPlainDataError} {MessageTooLargeError} if the message could not cross to another node.
   */
  send(to: Address, message: unknown): Delivery {
    const copy = copyPlainData(message, "message");
    const pid = this.#resolve(to);
    if (pid === undefined) throw new NameNotRegisteredError(describeAddress(to));
    const process = this.#table.get(pid);
    if (process !== undefined)
      return this.#receiver.enqueue(process, { type: "info", message: copy });
    return this.#route({ type: "send", to: pid, message: copy });
  }

  /**
   * Sends a request that nobody waits for. No receiver is not an error, by name neither (B3.1).
   *
   * @throws {NotPlainDataError} {MessageTooLargeError} as {@link send}.
   */
  cast(to: Address, method: string, args: readonly unknown[]): Delivery {
    const copy = copyPlainData(args, "args");
    const pid = this.#resolve(to);
    if (pid === undefined) return "noproc";
    const process = this.#table.get(pid);
    if (process !== undefined)
      return this.#receiver.enqueue(process, { type: "cast", method, args: copy });
    return this.#route({ type: "cast", to: pid, method, args: copy });
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws {CallError} with `noproc`, `calling_self`, `overloaded` (it did not run), `timeout`, `exited`,
   *   `noconnection`, or what the callee answered.
   * @throws {NotPlainDataError} {MessageTooLargeError} as {@link send}.
   * @throws {RangeError} if `timeoutMs` is negative or NaN.
   */
  call(
    to: Address,
    method: string,
    args: readonly unknown[],
    options: CallOptions = noOptions,
  ): Promise<unknown> {
    try {
      return this.#call(to, method, args, options);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /**
   * Answers a deferred call (B2.9). Only the first answer counts; one that comes late, or to a process that has ended, is
   * dropped: its caller has been told.
   *
   * @throws {NotPlainDataError} {MessageTooLargeError} as {@link send}.
   */
  reply(from: From, outcome: Outcome): void {
    const copy: Outcome = outcome.ok
      ? { ok: true, value: copyPlainData(outcome.value, "the answer") }
      : outcome;
    this.#route({ type: "answer", to: from.pid, tag: from.tag, outcome: copy });
  }

  /**
   * Sends an exit signal (A2). `from` is who sends it; without one, it comes from the process itself, so that even `normal`
   * ends it (A2.3).
   */
  exit(to: Pid, reason: ExitReason, from: Pid = to): void {
    this.#route({ type: "exit", to, from, reason, linked: false });
  }

  /**
   * Watches a process: `watcher` is called once, when it ends. At once for one that does not exist.
   * Returns what stops it.
   */
  monitor(target: Address, watcher: Watcher): () => void {
    const pid = this.#resolve(target);
    if (pid === undefined) return soonUnlessStopped(() => watcher(noproc, undefined));
    this.#refs += 1;
    const id = this.#refs;
    if (this.#table.isHere(pid)) return this.#watchHere(pid, id, watcher);
    this.#remoteMonitors.add(id, pid, watcher);
    if (!this.#sendAway({ type: "monitor", to: pid, id, origin: this.address }))
      queueMicrotask(() => this.#remoteMonitors.fire(id, noconnection));
    return () => {
      if (this.#remoteMonitors.remove(id))
        this.#remote.deliver({ type: "demonitor", to: pid, id, origin: this.address });
    };
  }

  /** Links two processes, the first of this node (A3.1). To a dead one: the living one gets an exit signal `noproc` (A3.4). */
  link(a: Pid, b: Pid): void {
    const process = this.#table.get(a);
    if (process === undefined || samePid(a, b)) return;
    this.#receiver.addLink(process, b);
    this.#route({ type: "link", to: b, from: a });
  }

  /** Removes a link on both sides. */
  unlink(a: Pid, b: Pid): void {
    if (this.#table.get(a)?.relations?.links?.delete(this.#table.keyOf(b)) === true)
      this.#route({ type: "unlink", to: b, from: a });
  }

  /**
   * Sends a message after `ms` milliseconds (A7.3). A receiver that has ended by then is not an error. Returns the reference
   * to cancel or read it by.
   *
   * @throws {RangeError} unless `ms` is a number from 0 to 2^32 - 1.
   * @throws {NotPlainDataError} {MessageTooLargeError} as {@link send}.
   */
  sendAfter(ms: number, to: Address, message: unknown): number {
    const copy = copyPlainData(message, "message");
    return this.#timers.start(ms, to, () => this.#deliver(to, copy));
  }

  /** As {@link sendAfter}; what arrives is `{ type: "timeout", ref, message }`. */
  startTimer(ms: number, to: Address, message: unknown): number {
    const copy = copyPlainData(message, "message");
    return this.#timers.start(ms, to, (ref) =>
      this.#deliver(to, { type: "timeout", ref, message: copy }),
    );
  }

  /** The milliseconds that were left; false if it has fired, was cancelled, or never was. Its message may wait already (A7.5). */
  cancelTimer(ref: number): number | false {
    return this.#timers.cancel(ref);
  }

  /** The milliseconds that are left; false as {@link cancelTimer}. */
  readTimer(ref: number): number | false {
    return this.#timers.read(ref);
  }

  /** What is known about a live local process. */
  info(pid: Pid): ProcessInfo | undefined {
    const process = this.#table.get(pid);
    return process === undefined ? undefined : describeProcess(process);
  }

  /** All live processes, oldest first. */
  processes(): ProcessInfo[] {
    return Array.from(this.#table.values(), describeProcess);
  }

  /** How many processes are alive. */
  get processCount(): number {
    return this.#table.size;
  }

  /** What waits for something: for tests that count leaks. */
  get pending(): {
    readonly calls: number;
    readonly remoteMonitors: number;
    readonly timers: number;
    readonly aliases: number;
  } {
    return {
      calls: this.#deadlines.size,
      remoteMonitors: this.#remoteMonitors.size,
      timers: this.#timers.size,
      aliases: this.#table.aliases,
    };
  }

  /** Takes a signal that arrived from another node. */
  receive(signal: Signal): void {
    if (signal.type === "reply") this.#awayCalls.settle(signal.id, signal.outcome);
    else if (signal.type === "down")
      this.#remoteMonitors.fire(signal.id, signal.reason, signal.pid);
    else this.#receiver.receive(signal);
  }

  /**
   * Declares one life of another node unreachable: every call, monitor and link to it ends with `noconnection`,
   * in one step, so that no observer sees half of it (M1).
   */
  nodeDown(address: NodeAddress): void {
    const isGone = (pid: Pid): boolean =>
      pid.node === address.node && pid.incarnation === address.incarnation;
    this.#awayCalls.failAll(isGone, (call) => unreachable(call.label, address.node, "maybe"));
    this.#remoteMonitors.fireAll(isGone, noconnection);
    this.#receiver.nodeDown(address);
  }

  /**
   * Puts a fence before a live process of this node, besides that of its `SpawnOptions`: while it returns false the process
   * handles nothing. Returns what takes it away. A process that has ended gets none.
   */
  addFence(pid: Pid, fence: () => boolean): () => void {
    const process = this.#table.get(pid);
    if (process === undefined) return () => {};
    const before = process.options;
    const { fence: own } = before;
    const both = own === undefined ? fence : () => own() && fence();
    process.options = { ...before, fence: both };
    return () => {
      process.options = before;
    };
  }

  /** Ends every process with this reason, at once, supervisors as well: nobody restarts anything. */
  halt(reason: ExitReason): void {
    for (const process of this.#table.values()) this.#ends.end(process, reason);
  }

  #spawn(code: Behaviour | ProcessFunction, options: SpawnOptions): Process {
    const process = this.#table.add(code, options);
    if (options.link !== undefined) this.link(process.pid, options.link);
    this.#runner.wake(process);
    return process;
  }

  /** Not an async function: its promise and its state would cost as much as the rest of a call. */
  #call(
    to: Address,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    const { timeoutMs = callTimeoutMsDefault, from, local = false } = options;
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be 0 or more, not ${timeoutMs}`);
    const sent = local ? args : copyPlainData(args, "args");
    const pid = this.#resolve(to);
    const title =
      options.label ?? (typeof to === "string" || to instanceof Pid ? to : describeAddress(to));
    if (pid === undefined)
      throw refused(
        "noproc",
        `${title}.${method}: no process is registered as ${describeAddress(to)}`,
      );
    if (from !== undefined && samePid(from, pid))
      throw refused("calling_self", `${title}.${method}: a process cannot call itself`);
    const isHere = this.#table.isHere(pid);
    const process = isHere ? this.#calleeHere(pid, title, method) : undefined;
    return new Promise((resolve, reject) => {
      const byReference = local;
      const request = { title, method, args: sent, timeoutMs, byReference, resolve, reject };
      if (process === undefined) this.#callAway(pid, request);
      else this.#runner.push(process, new LocalCall(process, request, this.#deadlines));
    });
  }

  /** The process that is called, if it can take the call. */
  #calleeHere(pid: Pid, title: Pid | string, method: string): Process {
    const process = this.#table.get(pid);
    if (process?.hasRoom === true) return process;
    if (process === undefined) throw new CallError(noProcess(`${title}.${method}`));
    this.#receiver.refuse(process);
    throw new CallError(mailboxFull(`${title}.${method}`, process.capacity));
  }

  #callAway(pid: Pid, request: LocalRequest): void {
    const { method, args, timeoutMs, byReference } = request;
    const label = `${request.title}.${method}`;
    if (byReference) {
      const message = `${label}: ${pid} is on another node, and this call cannot cross`;
      return request.reject(refused("noproc", message));
    }
    const call = this.#awayCalls.open({ label, target: pid, timeoutMs }, request);
    const { id } = call;
    try {
      const sent = { type: "call", to: pid, id, origin: this.address, method, args } as const;
      if (!this.#sendAway(sent)) call.settle(failed(unreachable(label, pid.node, "no")));
    } catch (thrown) {
      this.#awayCalls.forget(call);
      request.reject(thrown as Error);
    }
  }

  #watchHere(pid: Pid, id: number, watcher: Watcher): () => void {
    const process = this.#table.get(pid);
    if (process === undefined) return soonUnlessStopped(() => watcher(noproc, pid));
    const relations = process.relate();
    relations.watchers ??= new Map();
    relations.watchers.set(id, watcher);
    return () => {
      relations.watchers?.delete(id);
    };
  }

  /** What a timer sends: there is nobody to tell that the receiver is gone. */
  #deliver(to: Address, message: unknown): void {
    const pid = this.#resolve(to);
    if (pid !== undefined) this.#route({ type: "send", to: pid, message });
  }

  #route(signal: Signal & { readonly to: Pid }): Delivery {
    if (this.#table.isHere(signal.to)) return this.#receiver.apply(signal);
    if (this.#sendAway(signal)) return "sent";
    if (signal.type === "link") this.#receiver.linkFailed(signal.from, signal.to);
    return "noconnection";
  }

  #resolve(to: Address): Pid | undefined {
    if (typeof to === "string") return this.#table.named(to)?.pid;
    if (to instanceof Pid) return to;
    if (to.node === this.address.node) return this.#table.named(to.name)?.pid;
    // A life that nobody has: what is sent to it is undeliverable, not without a receiver.
    const incarnation = this.#remote.incarnationOf?.(to.node) ?? "";
    return new NamedPid(to.node, incarnation, to.name);
  }

  #sendAway(signal: Signal): boolean {
    const named = signal.to instanceof NamedPid ? { ...signal, name: signal.to.name } : signal;
    return this.#remote.deliver(named);
  }
}

function startTimedOut(startMs: number): ExitReason {
  return { type: "exit", value: { type: "start_timeout", startMs } };
}

function soonUnlessStopped(run: () => void): () => void {
  let wanted = true;
  queueMicrotask(() => wanted && run());
  return () => {
    wanted = false;
  };
}
