/**
 * What a process does in its own name: the kernel's half of `Self`. Of a process that has ended nothing has an effect.
 *
 * @module
 */
import type { Incoming } from "./behaviour.ts";
import { ExitError, NoProcessError } from "./errors.ts";
import { type ExitReason, killed } from "./exit-reason.ts";
import { isFenced } from "./fence.ts";
import type { Delivery, DemonitorOptions, MonitorOptions } from "./kernel-options.ts";
import type { Kernel } from "./kernel.ts";
import { sendUnlessFenced } from "./outbox.ts";
import { type Address, Pid } from "./pid.ts";
import { copyPlainData } from "./plain-data.ts";
import type { ProcessEnds } from "./process-ends.ts";
import type { ProcessRunner } from "./process-runner.ts";
import type { ProcessTable } from "./process-table.ts";
import { receive, type ReceiveOptions } from "./receive.ts";

export class ProcessSide {
  readonly #kernel: Kernel;
  readonly #table: ProcessTable;
  readonly #ends: ProcessEnds;
  readonly #runner: ProcessRunner;
  #refs = 0;

  constructor(options: {
    readonly kernel: Kernel;
    readonly table: ProcessTable;
    readonly ends: ProcessEnds;
    readonly runner: ProcessRunner;
  }) {
    this.#kernel = options.kernel;
    this.#table = options.table;
    this.#ends = options.ends;
    this.#runner = options.runner;
  }

  parent(pid: Pid): Pid | undefined {
    const options = this.#table.get(pid)?.options;
    return options?.parent ?? options?.link;
  }

  remind(pid: Pid, message: unknown, first: boolean): void {
    const process = this.#table.get(pid);
    if (process === undefined) return;
    if (!first) return this.#runner.push(process, { type: "info", message });
    process.box().unshift({ type: "info", message });
    if (process.status === "waiting") this.#runner.wake(process);
  }

  send(pid: Pid, to: Address, message: unknown): Delivery {
    const process = this.#table.get(pid);
    if (process === undefined) return "noproc";
    if (process.options.fence === undefined) return this.#kernel.send(to, message);
    const copy = copyPlainData(message, "message");
    return sendUnlessFenced(process, this.#kernel.clock, () => this.#kernel.send(to, copy));
  }

  cast(pid: Pid, to: Address, method: string, args: readonly unknown[]): Delivery {
    const process = this.#table.get(pid);
    if (process === undefined) return "noproc";
    if (process.options.fence === undefined) return this.#kernel.cast(to, method, args);
    const copy = copyPlainData(args, "args");
    return sendUnlessFenced(process, this.#kernel.clock, () => this.#kernel.cast(to, method, copy));
  }

  receive(
    pid: Pid,
    wanted: (message: Incoming) => boolean,
    options: ReceiveOptions,
  ): Promise<Incoming | undefined> {
    const process = this.#table.get(pid);
    const received = receive(process, wanted, options, this.#kernel.clock);
    if (process !== undefined && isFenced(process)) this.#runner.wake(process);
    return received;
  }

  /** The number the next message gets. */
  mark(pid: Pid): number {
    return this.#table.get(pid)?.box().end ?? 0;
  }

  link(a: Pid, b: Pid): void {
    const process = this.#table.get(a);
    if (process === undefined) return;
    if (!process.trapExit && this.#table.isHere(b) && !this.#kernel.isAlive(b))
      throw new NoProcessError(b);
    this.#kernel.link(a, b);
  }

  monitor(owner: Pid, target: Address, { tag, alias }: MonitorOptions): number {
    const process = this.#table.get(owner);
    if (process === undefined) return 0;
    this.#refs += 1;
    const ref = this.#refs;
    const relations = process.relate();
    relations.monitoring ??= new Map();
    const name = nameIn(target);
    const stop = this.#kernel.monitor(target, (reason, pid) => {
      relations.monitoring?.delete(ref);
      if (alias !== undefined) this.#table.removeAlias(alias);
      // Not refused when the mailbox is full: what is monitored ends once, and is told once.
      this.#runner.push(process, { type: "down", ref, pid, name, tag, reason });
    });
    relations.monitoring.set(ref, () => {
      stop();
      if (alias !== undefined) this.#table.removeAlias(alias);
    });
    return ref;
  }

  /** Whether the monitor was still active. */
  demonitor(owner: Pid, ref: number, { flush = false }: DemonitorOptions): boolean {
    const process = this.#table.get(owner);
    const stop = process?.relations?.monitoring?.get(ref);
    if (stop !== undefined) {
      stop();
      process?.relations?.monitoring?.delete(ref);
    } else if (flush) {
      process?.mailbox?.remove((each) => each.type === "down" && each.ref === ref);
    }
    return stop !== undefined;
  }

  alias(owner: Pid, once: boolean): Pid {
    const process = this.#table.get(owner);
    if (process === undefined) throw new ExitError(killed);
    return this.#table.addAlias(process, once);
  }

  unalias(alias: Pid): boolean {
    return this.#table.removeAlias(alias);
  }

  trapExit(pid: Pid, trap: boolean): void {
    const process = this.#table.get(pid);
    if (process !== undefined) process.trapExit = trap;
  }

  label(pid: Pid, key: string, value: unknown): void {
    const process = this.#table.get(pid);
    if (process === undefined) return;
    const relations = process.relate();
    relations.labels ??= new Map();
    relations.labels.set(key, copyPlainData(value, key));
  }

  /** What the process said under this key. */
  labelOf(pid: Pid, key: string): unknown {
    return this.#table.get(pid)?.relations?.labels?.get(key);
  }

  /** Ends a process in its own name: its links and watchers see exactly `reason` (A1.1, A1.3). */
  exit(pid: Pid, reason: ExitReason): void {
    const process = this.#table.get(pid);
    if (process !== undefined) this.#ends.end(process, reason);
  }

  crash(pid: Pid, thrown: unknown): void {
    const process = this.#table.get(pid);
    if (process !== undefined) this.#ends.crash(process, thrown);
  }

  /** Gives back what the mailbox holds beyond its messages. */
  hibernate(pid: Pid): void {
    const process = this.#table.get(pid);
    if (process?.mailbox?.length === 0) process.mailbox = undefined;
  }

  /** Fires when the process ends; has fired for one that has. */
  abortSignal(pid: Pid): AbortSignal {
    const process = this.#table.get(pid);
    if (process === undefined) return AbortSignal.abort();
    const relations = process.relate();
    relations.abort ??= new AbortController();
    return relations.abort.signal;
  }
}

function nameIn(target: Address): string | undefined {
  if (typeof target === "string") return target;
  return target instanceof Pid ? undefined : target.name;
}
