/**
 * Which task of a stream may start, and which result comes next. Pure: no process, no promise.
 *
 * @module
 */

/** The most results that wait, in an ordered stream, for an earlier one that takes longer. */
export const streamBufferMax = 1_000;

/** The order of one stream's results. */
export class TaskStreamState<R> {
  readonly #maxConcurrency: number;
  readonly #ordered: boolean;
  readonly #ready = new Map<number, R>();
  #started = 0;
  #taken = 0;
  #running = 0;

  constructor(options: { readonly maxConcurrency: number; readonly ordered: boolean }) {
    this.#maxConcurrency = options.maxConcurrency;
    this.#ordered = options.ordered;
  }

  /** Whether one more may start. */
  get hasRoom(): boolean {
    return this.#running < this.#maxConcurrency && this.#ready.size < streamBufferMax;
  }

  /** Whether nothing runs and no result waits. */
  get isEmpty(): boolean {
    return this.#running === 0 && this.#ready.size === 0;
  }

  /** One more starts. Returns its place. */
  start(): number {
    this.#running += 1;
    this.#started += 1;
    return this.#started - 1;
  }

  end(place: number, result: R): void {
    this.#running -= 1;
    this.#ready.set(place, result);
  }

  /** Takes the next result: that of the oldest input, or, unordered, of the task that ended first. */
  take(): R | undefined {
    const place = this.#ordered ? this.#taken : this.#ready.keys().next().value;
    if (place === undefined) return undefined;
    const result = this.#ready.get(place);
    if (this.#ready.delete(place)) this.#taken += 1;
    return result;
  }
}
