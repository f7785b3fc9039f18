/**
 * How late this node's timers are: a busy event loop is late.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";

/** In milliseconds. */
const measureEveryMs = 250;

export class LagMeter {
  readonly #clock: Clock;
  #lagMs = 0;
  #stopTimer: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of the last timer, in whole milliseconds. */
  get lagMs(): number {
    return Math.round(this.#lagMs);
  }

  start(): void {
    const dueMs = this.#clock.now() + measureEveryMs;
    this.#stopTimer = this.#clock.after(measureEveryMs, () => {
      this.#lagMs = Math.max(0, this.#clock.now() - dueMs);
      this.start();
    });
  }

  stop(): void {
    this.#stopTimer?.();
  }
}
