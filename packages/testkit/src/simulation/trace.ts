/**
 * What a simulation did, as one number that differs when anything did, and as lines for people who ask for them.
 *
 * @module
 */

/** One thing that happened. */
export interface TraceLine {
  readonly atMs: number;
  /** Such as `message`, `write`, `kill`. */
  readonly what: string;
  /** Such as a subject, a key, a node. */
  readonly about: string;
  /** Who caused it, and whom it reached, where it has such. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Of a message. */
  readonly bytes: number | undefined;
}

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** FNV-1a over everything that is noted, in order. */
export class Trace {
  readonly #now: () => number;
  readonly #observer: ((line: TraceLine) => void) | undefined;
  /** Subjects repeat: their hashes are kept. */
  readonly #hashes = new Map<string, number>();
  /** A signed number: those are not boxed when they change. */
  #hash = offsetBasis | 0;

  constructor(now: () => number, observer?: (line: TraceLine) => void) {
    this.#now = now;
    this.#observer = observer;
  }

  /** Eight hexadecimal digits. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  note(
    what: string,
    about: string,
    more: { readonly from?: string; readonly to?: string; readonly data?: Uint8Array } = {},
  ): void {
    const { from, to, data } = more;
    this.#mix(Math.round(this.#now() * 1_000));
    this.#mix(this.#hashOf(what));
    this.#mix(this.#hashOf(about));
    if (from !== undefined) this.#mix(this.#hashOf(from));
    if (to !== undefined) this.#mix(this.#hashOf(to));
    if (data !== undefined) this.#mixAll(data);
    this.#observer?.({ atMs: this.#now(), what, about, from, to, bytes: data?.length });
  }

  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, prime);
  }

  /** By index: an iterator costs more than the sum. */
  #mixAll(data: Uint8Array): void {
    let hash = this.#hash;
    for (let index = 0; index < data.length; index += 1)
      hash = Math.imul(hash ^ data[index]!, prime);
    this.#hash = hash;
  }

  #hashOf(text: string): number {
    const known = this.#hashes.get(text);
    if (known !== undefined) return known;
    let hash = offsetBasis | 0;
    for (let index = 0; index < text.length; index += 1)
      hash = Math.imul(hash ^ text.charCodeAt(index), prime);
    this.#hashes.set(text, hash);
    return hash;
  }
}
