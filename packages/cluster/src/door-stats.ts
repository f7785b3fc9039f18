/**
 * What a node's open door has served, by name.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";

/** Of one name. */
export interface ServedStats {
  readonly requests: number;
  readonly errors: number;
  readonly lastError: string;
  /** Of all requests together, in milliseconds. */
  readonly processingMs: number;
}

/** The most names that are counted; the one not called for longest is forgotten. */
const namesMax = 10_000;
const none: ServedStats = { requests: 0, errors: 0, lastError: "", processingMs: 0 };

export class DoorStats {
  readonly #clock: Clock;
  readonly #served = new Map<string, ServedStats>();
  /** When counting began, on the wall clock: for people. */
  readonly startedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.startedMs = clock.wall();
  }

  /** A call begins. What is returned says that it has ended, and with which error. */
  begin(name: string): (error?: string) => void {
    const fromMs = this.#clock.now();
    return (error) => {
      const { requests, errors, lastError, processingMs } = this.of(name);
      this.#served.delete(name); // The order of the map is the order of use.
      this.#served.set(name, {
        requests: requests + 1,
        errors: error === undefined ? errors : errors + 1,
        lastError: error ?? lastError,
        processingMs: processingMs + this.#clock.now() - fromMs,
      });
      if (this.#served.size <= namesMax) return;
      const [oldest] = this.#served.keys();
      this.#served.delete(oldest!);
    };
  }

  of(name: string): ServedStats {
    return this.#served.get(name) ?? none;
  }

  /** The names that were called here. */
  names(): IterableIterator<string> {
    return this.#served.keys();
  }
}
