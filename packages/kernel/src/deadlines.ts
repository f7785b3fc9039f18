/**
 * Deadlines of calls: one timer for all of them instead of one each, and no look at the clock for a call that is
 * answered at once.
 *
 * A new deadline is not timed until the next tick, {@link resolutionMs} later; its time counts from that tick. So a deadline
 * may fire up to two ticks late, never early.
 *
 * @module
 */
import type { Cancel, Clock } from "./clock.ts";

/** How long a tick is, in milliseconds. */
export const resolutionMs = 10;

/** What can be given a deadline. It is its own entry in a list, so that adding and removing cost next to nothing. */
export interface Due {
  readonly timeoutMs: number;
  /** Nothing happens when its call was settled meanwhile. */
  expire(): void;
  /** Kept by {@link Deadlines}. */
  before: Due | undefined;
  after: Due | undefined;
}

/** The head of a list of deadlines: an entry that never expires. */
class Head implements Due {
  readonly timeoutMs = Infinity;
  before: Due | undefined = this;
  after: Due | undefined = this;

  expire(): void {}

  *entries(): Generator<Due> {
    while (this.after !== this) {
      const entry = this.after!;
      unlink(entry);
      yield entry;
    }
  }

  add(entry: Due): void {
    const last = this.before!;
    entry.before = last;
    entry.after = this;
    last.after = entry;
    this.before = entry;
  }

  get isEmpty(): boolean {
    return this.after === this;
  }
}

/** A set of pending deadlines on one clock. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #untimed = new Head();
  readonly #buckets = new Map<number, Head>();
  #stopTimer: Cancel | undefined;
  #timerIsFar = false;
  #size = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#size;
  }

  /** Calls `entry.expire` once, `entry.timeoutMs` milliseconds from now, unless it is removed first. */
  add(entry: Due): void {
    this.#size += 1;
    this.#untimed.add(entry);
    if (this.#stopTimer === undefined || this.#timerIsFar) this.#arm(resolutionMs, false);
  }

  /** Removes an entry; one that was removed or has expired is left alone. */
  remove(entry: Due): void {
    if (entry.after === undefined) return;
    unlink(entry);
    this.#size -= 1;
    // A tick that is near may find nothing to do; a far one must not keep the program from ending.
    if (this.#size === 0 && this.#timerIsFar) this.#disarm();
  }

  #arm(ms: number, isFar: boolean): void {
    this.#disarm();
    this.#timerIsFar = isFar;
    this.#stopTimer = this.#clock.after(ms, this.#tick);
  }

  #disarm(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#timerIsFar = false;
  }

  readonly #tick = (): void => {
    this.#disarm();
    const nowMs = this.#clock.now();
    for (const entry of this.#untimed.entries()) this.#bucketAt(nowMs + entry.timeoutMs).add(entry);
    let nextMs = Infinity;
    const due: Due[] = [];
    for (const [bucket, head] of this.#buckets) {
      if (head.isEmpty) this.#buckets.delete(bucket);
      else if (bucket * resolutionMs > nowMs) nextMs = Math.min(nextMs, bucket * resolutionMs);
      else {
        this.#buckets.delete(bucket);
        due.push(...head.entries());
      }
    }
    this.#size -= due.length;
    if (nextMs !== Infinity) this.#arm(Math.max(1, nextMs - nowMs), true);
    for (const entry of due) entry.expire();
  };

  #bucketAt(dueMs: number): Head {
    const bucket = Math.ceil(dueMs / resolutionMs);
    const existing = this.#buckets.get(bucket);
    if (existing !== undefined) return existing;
    const head = new Head();
    this.#buckets.set(bucket, head);
    return head;
  }
}

function unlink(entry: Due): void {
  entry.before!.after = entry.after;
  entry.after!.before = entry.before;
  entry.before = undefined;
  entry.after = undefined;
}
