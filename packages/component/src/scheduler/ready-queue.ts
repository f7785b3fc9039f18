/**
 * Guests that are ready to run, short work before long. Decisions are `slice-policy.ts`'s.
 *
 * @module
 */
import { type Level, levelToServe, owedAfter } from "./slice-policy.ts";

/** First in, first out, without moving the rest at every step. */
class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts an item before all others. */
  unshift(item: T): void {
    if (this.#head === 0) {
      this.#items.unshift(item);
    } else {
      this.#head -= 1;
      this.#items[this.#head] = item;
    }
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

export class ReadyQueue<T> {
  readonly #waiting = { short: new Fifo<T>(), long: new Fifo<T>() };
  #owedMs = 0;

  get length(): number {
    return this.#waiting.short.length + this.#waiting.long.length;
  }

  push(level: Level, item: T): void {
    this.#waiting[level].push(item);
  }

  /** Puts an item before all others of its level. */
  unshift(level: Level, item: T): void {
    this.#waiting[level].unshift(item);
  }

  shift(): T | undefined {
    const { short, long } = this.#waiting;
    const waiting = { short: short.length, long: long.length };
    return this.#waiting[levelToServe(waiting, this.#owedMs)].shift();
  }

  /** Tells that work of `level` ran for `ms`. */
  ran(level: Level, ms: number): void {
    this.#owedMs = owedAfter(this.#owedMs, level, ms, this.#waiting.long.length);
  }
}
