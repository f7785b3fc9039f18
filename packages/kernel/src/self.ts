/**
 * A process's own view of itself: what its code may do in its name.
 *
 * @module
 */
import type { ExitReason } from "./exit-reason.ts";
import type { CallOptions } from "./kernel-options.ts";
import type { Kernel } from "./kernel.ts";
import { type Pid, samePid } from "./pid.ts";

/** Handed to every callback of a process. Once the process has ended, nothing done through it has an effect. */
export class Self {
  readonly pid: Pid;
  readonly kernel: Kernel;

  constructor(kernel: Kernel, pid: Pid) {
    this.kernel = kernel;
    this.pid = pid;
  }

  /** Fires when this process ends, so that what it awaits can stop. */
  get signal(): AbortSignal {
    return this.kernel.abortSignal(this.pid);
  }

  /** The process that started this one. */
  get parent(): Pid | undefined {
    return this.kernel.info(this.pid)?.parent;
  }

  /**
   * Whether an exit signal from there asks this process to stop: from its parent, or, for one without a parent, from
   * code outside of any process.
   */
  isParent(from: Pid): boolean {
    return samePid(from, this.parent ?? this.pid);
  }

  /** Sends a plain message. A dead receiver is not an error (A5.2). */
  send(to: Pid | string, message: unknown): void {
    if (this.kernel.isAlive(this.pid)) this.kernel.send(to, message);
  }

  /**
   * Puts a message into this process's own mailbox, of any value and also when it is full: a timer that fired, a step to
   * take later. What does this without end fills its own mailbox.
   */
  remind(message: unknown): void {
    this.kernel.remind(this.pid, message);
  }

  /** Calls another process. @throws {CallError} as {@link Kernel.call}, also with `calling_self`. */
  call(
    to: Pid | string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    return this.kernel.call(to, method, args, { ...options, from: this.pid });
  }

  /** Links this process to another (A3.1): when one ends, the other gets an exit signal. */
  link(to: Pid): void {
    this.kernel.link(this.pid, to);
  }

  /** Removes a link; no new exit signal of it arrives afterwards (A3.3). */
  unlink(to: Pid): void {
    this.kernel.unlink(this.pid, to);
  }

  /** Watches another process: a `down` message with the returned reference arrives once, when it ends (A4). */
  monitor(target: Pid | string): number {
    return this.kernel.monitorFrom(this.pid, target);
  }

  /** Stops watching; no `down` with this reference is delivered afterwards (A4.5). */
  demonitor(ref: number): void {
    this.kernel.demonitorFrom(this.pid, ref);
  }

  /** Turns exit signals into messages, or back (A2.4). */
  trapExit(trap: boolean): void {
    this.kernel.setTrapExit(this.pid, trap);
  }

  /** Ends this process as a throw in one of its callbacks would: for work that goes on outside of them. */
  crash(thrown: unknown): void {
    this.kernel.crashSelf(this.pid, thrown);
  }

  /** Ends this process. Returns, but nothing this process does afterwards has an effect. */
  exit(reason: ExitReason): void {
    this.kernel.endSelf(this.pid, reason);
  }
}
