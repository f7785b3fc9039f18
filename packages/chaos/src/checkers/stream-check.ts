/**
 * What a check of a stream of events is: it sees each event once, in order, and keeps no more than it needs.
 *
 * @module
 */
import type { HistoryEvent, Violation } from "../history.ts";

export interface StreamCheck {
  readonly take: (event: HistoryEvent) => void;
  /** There are no more events. */
  readonly finish?: () => void;
}

/** Told of what is wrong. */
export type OnViolation = (violation: Violation) => void;

/** A map of at most so many entries: what was set longest ago goes first. */
export class RecentMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#max) this.#entries.delete(this.#entries.keys().next().value!);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  values(): IterableIterator<V> {
    return this.#entries.values();
  }
}
