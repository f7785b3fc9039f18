/**
 * Timers that send a message (A7.3): at a time, to a process or a name, unless they are cancelled first.
 *
 * @module
 */
import type { Cancel, Clock } from "./clock.ts";
import { type Address, Pid } from "./pid.ts";
import type { ProcessTable } from "./process-table.ts";

/** The longest a timer may wait, in milliseconds: 2^32 - 1, about 49 days, as in Erlang. */
export const timerDelayMsMax = 4_294_967_295;

interface Timer {
  readonly dueMs: number;
  readonly to: Address;
  cancel: Cancel;
}

/** The timers of one node. A timer to a process of this node ends with the process; a name is looked up when it fires (A7.4). */
export class ProcessTimers {
  readonly #clock: Clock;
  readonly #table: ProcessTable;
  readonly #timers = new Map<number, Timer>();
  #refs = 0;

  constructor(clock: Clock, table: ProcessTable) {
    this.#clock = clock;
    this.#table = table;
  }

  get size(): number {
    return this.#timers.size;
  }

  /** @throws {RangeError} unless `ms` is between 0 and {@link timerDelayMsMax}. */
  start(ms: number, to: Address, fire: (ref: number) => void): number {
    if (!(ms >= 0 && ms <= timerDelayMsMax))
      throw new RangeError(`a timer waits 0 to ${timerDelayMsMax} milliseconds, not ${ms}`);
    this.#refs += 1;
    const ref = this.#refs;
    const target = to instanceof Pid ? this.#table.get(to) : undefined;
    if (to instanceof Pid && this.#table.isHere(to) && target === undefined) return ref; // It has ended.
    const timer: Timer = { dueMs: this.#clock.now() + ms, to, cancel: () => {} };
    this.#timers.set(ref, timer);
    if (target !== undefined) {
      const relations = target.relate();
      relations.timers ??= new Set();
      relations.timers.add(ref);
    }
    this.#arm(ref, timer, ms, fire);
    return ref;
  }

  /** The milliseconds that were left; false if it has fired, was cancelled, or never was. */
  cancel(ref: number): number | false {
    const left = this.read(ref);
    this.#timers.get(ref)?.cancel();
    this.#forget(ref);
    return left;
  }

  /** The milliseconds that are left; false as {@link cancel}. */
  read(ref: number): number | false {
    const timer = this.#timers.get(ref);
    return timer === undefined ? false : Math.max(0, Math.round(timer.dueMs - this.#clock.now()));
  }

  #arm(ref: number, timer: Timer, ms: number, fire: (ref: number) => void): void {
    timer.cancel = this.#clock.after(ms, () => {
      const leftMs = timer.dueMs - this.#clock.now();
      if (leftMs > 1) return this.#arm(ref, timer, leftMs, fire); // Longer than the clock can wait at once.
      this.#forget(ref);
      fire(ref);
    });
  }

  #forget(ref: number): void {
    const timer = this.#timers.get(ref);
    if (timer === undefined) return;
    this.#timers.delete(ref);
    if (timer.to instanceof Pid) this.#table.get(timer.to)?.relations?.timers?.delete(ref);
  }
}
