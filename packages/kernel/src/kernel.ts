/**
 * The kernel of one node: its process table, and the delivery of every signal to and from it.
 *
 * Invariants:
 *   K1. At most one callback of a process runs at a time; the next message waits for the promise of the last.
 *   K2. A process ends once. Its names, links and watchers are released before anyone can observe the end (A1.5).
 *   K3. Signals from one process to another take effect in sending order (A6.1).
 *   K4. Every call settles exactly once: by a reply, the callee's end, its node's loss, or its deadline.
 *   K5. A throw never leaves a process: it becomes the exit reason.
 *
 * @module
 */
import type {
  Behaviour,
  Incoming,
  Outcome,
  ProcessInfo,
  SpawnOptions,
  StartResult,
} from "./behaviour.ts";
import { Calls } from "./calls.ts";
import type { Clock } from "./clock.ts";
import { reportCrash } from "./crash-report.ts";
import { CallError, ExitError, NameTakenError } from "./errors.ts";
import { crashed, errorData, type ExitReason, noconnection, noproc } from "./exit-reason.ts";
import { type CallOptions, callTimeoutMsDefault, type KernelOptions } from "./kernel-options.ts";
import {
  ended,
  failed,
  fenced,
  mailboxFull,
  noProcess,
  notPlain,
  refused,
  unreachable,
} from "./failures.ts";
import { decideExit } from "./exit-signal-policy.ts";
import type { Logger } from "./logger.ts";
import { Pid, samePid } from "./pid.ts";
import { assertPlainData } from "./plain-data.ts";
import { Process, type Watcher } from "./process.ts";
import type { Random } from "./random.ts";
import { RemoteMonitors } from "./remote-monitors.ts";
import { RunQueue } from "./run-queue.ts";
import { Self } from "./self.ts";
import type { NodeAddress, Remote, Signal } from "./signal.ts";

/** The processes of one node. */
export class Kernel {
  readonly address: NodeAddress;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly #processes = new Map<number, Process>();
  readonly #names = new Map<string, Process>();
  readonly #runQueue: RunQueue;
  readonly #calls: Calls;
  readonly #remoteMonitors = new RemoteMonitors();
  #remote: Remote = { deliver: () => false };
  #serial = 0;
  #refs = 0;

  constructor(options: KernelOptions) {
    this.address = { node: options.node, incarnation: options.incarnation };
    this.clock = options.clock;
    this.random = options.random;
    this.logger = options.logger;
    this.#runQueue = new RunQueue(options.clock);
    this.#calls = new Calls(options.clock);
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
  spawn(behaviour: Behaviour, options: SpawnOptions = {}): Pid {
    return this.#spawn(behaviour, options).pid;
  }

  /** Starts a process and waits until its `start` has returned: OTP's `start_link` with `link`, `start` without. */
  async start(behaviour: Behaviour, options: SpawnOptions = {}): Promise<StartResult> {
    const taken = options.name === undefined ? undefined : this.#names.get(options.name);
    if (taken !== undefined) {
      const value = { type: "already_started", pid: taken.pid };
      return { type: "failed", reason: { type: "exit", value } };
    }
    const process = this.#spawn(behaviour, options);
    const { promise, resolve } = Promise.withResolvers<StartResult>();
    const stop = this.monitor(process.pid, (reason) => {
      const ignored = reason.type === "normal" && process.status === "starting";
      resolve(ignored ? { type: "ignored" } : { type: "failed", reason });
    });
    process.started = () => resolve({ type: "started", pid: process.pid });
    const result = await promise;
    stop();
    return result;
  }

  /** Whether the process is alive. A process of another node: whether it is, is not known, so false. */
  isAlive(pid: Pid): boolean {
    return this.#local(pid) !== undefined;
  }

  /** The live process registered under a local name. */
  whereis(name: string): Pid | undefined {
    return this.#names.get(name)?.pid;
  }

  /**
   * Registers a live local process under a name of this node.
   *
   * @throws {NameTakenError} if the name is taken.
   * @throws {RangeError} if the process is not alive here, or has a name.
   */
  register(name: string, pid: Pid): void {
    if (this.#names.has(name)) throw new NameTakenError(name);
    const process = this.#local(pid);
    if (process === undefined) throw new RangeError(`cannot register ${name}: ${pid} is not alive`);
    if (process.name !== undefined)
      throw new RangeError(`cannot register ${name}: ${pid} is named ${process.name}`);
    process.name = name;
    this.#names.set(name, process);
  }

  /**
   * Sends a plain message. A receiver that does not exist, or whose mailbox is full, is not an error here.
   *
   * @throws {NotPlainDataError} if the message could not cross to another node.
   */
  send(to: Pid | string, message: unknown): void {
    assertPlainData(message, "message");
    const pid = this.#resolve(to);
    if (pid === undefined) return;
    this.#route({ type: "send", to: pid, message });
  }

  /** Sends a request that nobody waits for (B3.1). @throws {NotPlainDataError} as {@link send}. */
  cast(to: Pid | string, method: string, args: readonly unknown[]): void {
    assertPlainData(args, "args");
    const pid = this.#resolve(to);
    if (pid === undefined) return;
    this.#route({ type: "cast", to: pid, method, args });
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws {CallError} with `noproc`, `calling_self`, `overloaded` (it did not run), `timeout`, `exited`,
   *   `noconnection`, or what the callee answered.
   * @throws {NotPlainDataError} as {@link send}.
   */
  async call(
    to: Pid | string,
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    const { timeoutMs = callTimeoutMsDefault, from, local = false } = options;
    if (!local) assertPlainData(args, "args");
    const pid = this.#resolve(to);
    const label = `${options.label ?? String(to)}.${method}`;
    if (pid === undefined)
      throw refused("noproc", `${label}: no process is registered as ${String(to)}`);
    if (local && !this.#isHere(pid))
      throw refused("noproc", `${label}: ${pid} is on another node, and this call cannot cross`);
    if (from !== undefined && samePid(from, pid))
      throw refused("calling_self", `${label}: a process cannot call itself`);
    const call = this.#calls.open({ label, target: pid, timeoutMs });
    if (this.#isHere(pid)) {
      const { settle } = call;
      this.#acceptCall(pid, method, args, settle, local);
    } else {
      const { id } = call;
      const sent = { type: "call", to: pid, id, origin: this.address, method, args } as const;
      try {
        if (!this.#remote.deliver(sent)) call.settle(failed(unreachable(label, pid.node, "no")));
      } catch (thrown) {
        call.settle(failed(unreachable(label, pid.node, "no"))); // Forgets the call.
        throw thrown;
      }
    }
    const outcome = await call.promise;
    if (outcome.ok) return outcome.value;
    throw new CallError(outcome.failure);
  }

  /** {@link Self.remind} on behalf of `pid`. */
  remind(pid: Pid, message: unknown): void {
    const process = this.#local(pid);
    if (process !== undefined) this.#push(process, { type: "info", message });
  }

  /** Sends an exit signal (A2). `from` is who sends it; without one, it comes from the process itself. */
  exit(to: Pid, reason: ExitReason, from: Pid = to): void {
    this.#route({ type: "exit", to, from, reason, linked: false });
  }

  /**
   * Watches a process: `watcher` is called once, when it ends. At once for one that does not exist.
   * Returns what stops it.
   */
  monitor(target: Pid | string, watcher: Watcher): () => void {
    const pid = this.#resolve(target);
    if (pid === undefined) {
      let wanted = true;
      queueMicrotask(() => wanted && watcher(noproc, undefined));
      return () => {
        wanted = false;
      };
    }
    this.#refs += 1;
    const id = this.#refs;
    if (this.#isHere(pid)) return this.#watchLocal(pid, id, watcher);
    this.#remoteMonitors.add(id, pid, watcher);
    if (!this.#remote.deliver({ type: "monitor", to: pid, id, origin: this.address }))
      queueMicrotask(() => this.#remoteMonitors.fire(id, noconnection));
    return () => {
      if (this.#remoteMonitors.remove(id))
        this.#remote.deliver({ type: "demonitor", to: pid, id, origin: this.address });
    };
  }

  /** {@link Self.monitor} on behalf of `owner`. */
  monitorFrom(owner: Pid, target: Pid | string): number {
    const process = this.#local(owner);
    if (process === undefined) return 0;
    this.#refs += 1;
    const ref = this.#refs;
    process.monitoring ??= new Map();
    const stop = this.monitor(target, (reason, pid) => {
      process.monitoring?.delete(ref);
      this.#push(process, { type: "down", ref, pid, reason });
    });
    process.monitoring.set(ref, stop);
    return ref;
  }

  /** {@link Self.demonitor} on behalf of `owner`: also removes a `down` that already waits. */
  demonitorFrom(owner: Pid, ref: number): void {
    const process = this.#local(owner);
    if (process === undefined) return;
    process.monitoring?.get(ref)?.();
    process.monitoring?.delete(ref);
    process.mailbox.remove((each) => each.type === "down" && each.ref === ref);
  }

  /** Links two processes (A3.1). To a dead one: the living one gets an exit signal `noproc` (A3.4). */
  link(a: Pid, b: Pid): void {
    const process = this.#local(a);
    if (process === undefined || samePid(a, b)) return;
    process.addLink(b);
    this.#route({ type: "link", to: b, from: a });
  }

  /** Removes a link on both sides. */
  unlink(a: Pid, b: Pid): void {
    if (this.#local(a)?.links?.delete(b.toString()) === true)
      this.#route({ type: "unlink", to: b, from: a });
  }

  setTrapExit(pid: Pid, trap: boolean): void {
    const process = this.#local(pid);
    if (process !== undefined) process.trapExit = trap;
  }

  /** Ends a process in its own name: its links and watchers see exactly `reason` (A1.1, A1.3). */
  endSelf(pid: Pid, reason: ExitReason): void {
    const process = this.#local(pid);
    if (process !== undefined) this.#end(process, reason);
  }

  /** {@link Self.crash} on behalf of `pid`. */
  crashSelf(pid: Pid, thrown: unknown): void {
    const process = this.#local(pid);
    if (process !== undefined) this.#crash(process, thrown);
  }

  /** The signal that fires when the process ends; already fired for one that has. */
  abortSignal(pid: Pid): AbortSignal {
    const process = this.#local(pid);
    if (process === undefined) return AbortSignal.abort();
    process.abort ??= new AbortController();
    return process.abort.signal;
  }

  /** What is known about a live local process. */
  info(pid: Pid): ProcessInfo | undefined {
    const process = this.#local(pid);
    return process === undefined ? undefined : process.describe();
  }

  /** All live processes, oldest first. */
  processes(): ProcessInfo[] {
    return [...this.#processes.values()].map((process) => process.describe());
  }

  /** Calls that wait for an answer, and monitors held on other nodes: for tests that count leaks. */
  get pending(): { readonly calls: number; readonly remoteMonitors: number } {
    return { calls: this.#calls.size, remoteMonitors: this.#remoteMonitors.size };
  }

  /** Takes a signal that arrived from another node. */
  receive(signal: Signal): void {
    switch (signal.type) {
      case "reply":
        this.#calls.settle(signal.id, signal.outcome);
        return;
      case "down":
        this.#remoteMonitors.fire(signal.id, signal.reason);
        return;
      case "call":
        this.#acceptCall(signal.to, signal.method, signal.args, (outcome) =>
          this.#sendReply(signal.origin, signal.id, outcome),
        );
        return;
      case "monitor":
        this.#acceptMonitor(signal.to, signal.id, signal.origin);
        return;
      case "demonitor":
        this.#local(signal.to)?.watchers?.delete(watcherKey(signal.origin, signal.id));
        return;
      default:
        if (this.#isHere(signal.to)) this.#apply(signal);
    }
  }

  /**
   * Declares one life of another node unreachable: every call, monitor and link to it ends with `noconnection`,
   * in one step, so that no observer sees half of it (M1).
   */
  nodeDown(address: NodeAddress): void {
    const isGone = (pid: Pid): boolean =>
      pid.node === address.node && pid.incarnation === address.incarnation;
    this.#calls.failAll(isGone, (call) => unreachable(call.label, address.node, "maybe"));
    this.#remoteMonitors.fireAll(isGone, noconnection);
    const prefix = watcherKey(address, "");
    for (const process of this.#processes.values()) {
      for (const key of process.watchers?.keys() ?? [])
        if (typeof key === "string" && key.startsWith(prefix)) process.watchers?.delete(key);
      for (const peer of process.links?.values() ?? [])
        if (isGone(peer)) this.#exitSignal(process, peer, noconnection, true);
    }
  }

  #spawn(behaviour: Behaviour, options: SpawnOptions): Process {
    if (options.name !== undefined && this.#names.has(options.name))
      throw new NameTakenError(options.name);
    this.#serial += 1;
    const pid = new Pid(this.address.node, this.address.incarnation, this.#serial);
    const process = new Process(pid, new Self(this, pid), behaviour, options);
    this.#processes.set(pid.serial, process);
    if (options.name !== undefined) {
      process.name = options.name;
      this.#names.set(options.name, process);
    }
    if (options.link !== undefined) this.link(pid, options.link);
    this.#runQueue.add(() => this.#startProcess(process));
    return process;
  }

  #startProcess(process: Process): void {
    if (!this.#isRunning(process)) return;
    const started = (): void => {
      if (!this.#isRunning(process)) return;
      process.status = "waiting";
      process.started?.();
      process.started = undefined;
      if (process.mailbox.length > 0) this.#runQueue.add(() => this.#step(process));
    };
    try {
      const pending = process.behaviour.start?.(process.self);
      if (pending === undefined) started();
      else pending.then(started, (thrown: unknown) => this.#crash(process, thrown));
    } catch (thrown) {
      this.#crash(process, thrown);
    }
  }

  /** Handles one message. Goes on by itself: `#push` only wakes a process that waits. */
  #step(process: Process): void {
    if (process.status !== "waiting" || !this.#isRunning(process)) return;
    const message = process.mailbox.shift();
    if (message === undefined) return;
    const finished = (): void => {
      process.handled += 1;
      process.current = undefined;
      process.status = "waiting";
      if (process.mailbox.length > 0) this.#runQueue.add(() => this.#step(process));
    };
    process.status = "running";
    process.current = message;
    const call = process.openCalls?.get(message);
    if (process.options.fence?.() === false) {
      process.openCalls?.delete(message);
      call?.settle(failed(fenced(process, "no")));
      finished();
      return;
    }
    if (call !== undefined) call.dispatched = true;
    try {
      const pending = process.behaviour.handle(message, process.self);
      if (pending === undefined) finished();
      else pending.then(finished, (thrown: unknown) => this.#crash(process, thrown));
    } catch (thrown) {
      this.#crash(process, thrown);
    }
  }

  #crash(process: Process, thrown: unknown): void {
    if (!this.#isRunning(process)) return; // It was ended while this callback awaited.
    const reason = thrown instanceof ExitError ? thrown.reason : crashed(thrown);
    reportCrash(this.logger, process, reason);
    this.#end(process, reason);
  }

  #end(process: Process, reason: ExitReason): void {
    if (!this.#processes.delete(process.pid.serial)) return; // K2
    if (process.name !== undefined) this.#names.delete(process.name);
    for (const stop of process.monitoring?.values() ?? []) stop();
    process.monitoring = undefined;
    const { links, watchers, openCalls } = process;
    process.links = undefined;
    process.watchers = undefined;
    process.openCalls = undefined;
    process.mailbox.drain();
    for (const call of openCalls?.values() ?? []) call.settle(failed(ended(process, reason, call)));
    openCalls?.clear();
    for (const peer of links?.values() ?? [])
      this.#route({ type: "exit", to: peer, from: process.pid, reason, linked: true });
    for (const watcher of watchers?.values() ?? [])
      this.#guard(process, () => watcher(reason, process.pid));
    process.abort?.abort();
    this.#guard(process, () => process.behaviour.ended?.(reason));
  }

  /** Runs code that has nobody to throw to. */
  #guard(process: Process, run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.logger.error(
        { event: "observer_failed", pid: process.pid.toString(), error: errorData(thrown) },
        `what observes the end of ${process.pid} failed: ${errorData(thrown).message}`,
      );
    }
  }

  #route(signal: Signal & { readonly to: Pid }): void {
    if (this.#isHere(signal.to)) {
      this.#apply(signal);
    } else if (!this.#remote.deliver(signal) && signal.type === "link") {
      const process = this.#local(signal.from);
      if (process !== undefined) this.#exitSignal(process, signal.to, noconnection, true);
    }
  }

  #apply(signal: Signal & { readonly to: Pid }): void {
    const process = this.#local(signal.to);
    switch (signal.type) {
      case "send":
        if (process !== undefined && process.hasRoom)
          this.#push(process, { type: "info", message: signal.message });
        return;
      case "cast":
        if (process !== undefined && process.hasRoom)
          this.#push(process, { type: "cast", method: signal.method, args: signal.args });
        return;
      case "exit":
        if (process !== undefined)
          this.#exitSignal(process, signal.from, signal.reason, signal.linked);
        return;
      case "link":
        if (process !== undefined) process.addLink(signal.from);
        else
          this.#route({
            type: "exit",
            to: signal.from,
            from: signal.to,
            reason: noproc,
            linked: true,
          });
        return;
      case "unlink":
        process?.links?.delete(signal.from.toString());
    }
  }

  /** The rules of A2: what an exit signal does to its receiver. */
  #exitSignal(process: Process, from: Pid, reason: ExitReason, linked: boolean): void {
    if (linked && process.links?.delete(from.toString()) !== true) return; // The link was removed meanwhile (A3.3).
    const fromSelf = samePid(from, process.pid);
    const decision = decideExit({ reason, linked, fromSelf, trapExit: process.trapExit });
    if (decision.type === "end") this.#end(process, decision.reason);
    if (decision.type === "message") this.#push(process, { type: "exit", from, reason });
  }

  #acceptCall(
    to: Pid,
    method: string,
    args: readonly unknown[],
    settle: (outcome: Outcome) => void,
    local = false,
  ): void {
    const process = this.#local(to);
    const label = `${to}.${method}`;
    if (process === undefined) return settle(failed(noProcess(label)));
    if (!process.hasRoom) return settle(failed(mailboxFull(label, process.capacity)));
    process.openCalls ??= new Map();
    const { openCalls } = process;
    const message: Incoming = {
      type: "call",
      method,
      args,
      reply: (outcome) => {
        if (!openCalls.delete(message)) return; // Answered before, or the process has ended (B2.6).
        if (process.options.fence?.() === false) return settle(failed(fenced(process, "maybe")));
        try {
          if (outcome.ok && !local) assertPlainData(outcome.value, `what ${method} returned`);
        } catch (thrown) {
          settle(failed(notPlain(thrown)));
          throw thrown;
        }
        settle(outcome);
      },
    };
    openCalls.set(message, { settle, dispatched: false });
    this.#push(process, message);
  }

  /** A value that cannot cross to the caller is a failure for both: the caller must not wait for its deadline. */
  #sendReply(to: NodeAddress, id: number, outcome: Outcome): void {
    try {
      this.#remote.deliver({ type: "reply", to, id, outcome });
    } catch (thrown) {
      this.#remote.deliver({ type: "reply", to, id, outcome: failed(notPlain(thrown)) });
      throw thrown;
    }
  }

  #acceptMonitor(to: Pid, id: number, origin: NodeAddress): void {
    const process = this.#local(to);
    const tell = (reason: ExitReason): void => {
      this.#remote.deliver({ type: "down", to: origin, id, pid: to, reason });
    };
    if (process === undefined) return tell(noproc);
    process.watchers ??= new Map();
    process.watchers.set(watcherKey(origin, id), tell);
  }

  #watchLocal(pid: Pid, id: number, watcher: Watcher): () => void {
    const process = this.#local(pid);
    if (process === undefined) {
      let wanted = true;
      queueMicrotask(() => wanted && watcher(noproc, pid));
      return () => {
        wanted = false;
      };
    }
    process.watchers ??= new Map();
    process.watchers.set(id, watcher);
    return () => {
      process.watchers?.delete(id);
    };
  }

  #push(process: Process, message: Incoming): void {
    if (!this.#isRunning(process)) return;
    process.mailbox.push(message);
    if (process.status === "waiting" && process.mailbox.length === 1)
      this.#runQueue.add(() => this.#step(process));
  }

  #isRunning(process: Process): boolean {
    return this.#processes.has(process.pid.serial);
  }

  #isHere(pid: Pid): boolean {
    return pid.node === this.address.node;
  }

  #local(pid: Pid): Process | undefined {
    if (pid.node !== this.address.node || pid.incarnation !== this.address.incarnation)
      return undefined;
    return this.#processes.get(pid.serial);
  }

  #resolve(to: Pid | string): Pid | undefined {
    return typeof to === "string" ? this.#names.get(to)?.pid : to;
  }
}

function watcherKey(origin: NodeAddress, id: number | ""): string {
  return `${origin.node}.${origin.incarnation}.${id}`;
}
