/**
 * Deadlines of calls: one timer for all of them instead of one each.
 *
 * Deadlines fall into buckets of {@link resolutionMs}; a call may fire that much late, never early.
 *
 * @module
 */
import type { Cancel, Clock } from "./clock.ts";

/** How late a deadline may fire, in milliseconds. */
export const resolutionMs = 10;

/** A pending deadline, to be handed back to {@link Deadlines.cancel}. */
export interface Deadline {
  readonly bucket: number;
  readonly expire: () => void;
}

/** A set of pending deadlines on one clock. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Set<Deadline>>();
  #stopTimer: Cancel | undefined;
  #timerBucket = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many deadlines are pending. */
  get size(): number {
    let size = 0;
    for (const bucket of this.#buckets.values()) size += bucket.size;
    return size;
  }

  /** Runs `expire` once, `ms` milliseconds from now, unless it is cancelled first. */
  add(ms: number, expire: () => void): Deadline {
    const bucket = Math.ceil((this.#clock.now() + ms) / resolutionMs);
    const deadline: Deadline = { bucket, expire };
    const others = this.#buckets.get(bucket);
    if (others === undefined) this.#buckets.set(bucket, new Set([deadline]));
    else others.add(deadline);
    if (bucket < this.#timerBucket) this.#wake(bucket);
    return deadline;
  }

  cancel(deadline: Deadline): void {
    const bucket = this.#buckets.get(deadline.bucket);
    if (bucket === undefined) return;
    bucket.delete(deadline);
    if (bucket.size > 0) return;
    this.#buckets.delete(deadline.bucket);
    if (this.#buckets.size === 0) this.#sleep();
  }

  #wake(bucket: number): void {
    this.#stopTimer?.();
    this.#timerBucket = bucket;
    const waitMs = Math.max(0, bucket * resolutionMs - this.#clock.now());
    this.#stopTimer = this.#clock.after(waitMs, this.#sweep);
  }

  #sleep(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#timerBucket = Infinity;
  }

  readonly #sweep = (): void => {
    this.#sleep();
    const nowBucket = Math.floor(this.#clock.now() / resolutionMs);
    let next = Infinity;
    const due: Deadline[] = [];
    for (const [bucket, deadlines] of this.#buckets) {
      if (bucket > nowBucket) {
        next = Math.min(next, bucket);
        continue;
      }
      this.#buckets.delete(bucket);
      due.push(...deadlines);
    }
    if (next !== Infinity) this.#wake(next);
    for (const { expire } of due) expire();
  };
}
