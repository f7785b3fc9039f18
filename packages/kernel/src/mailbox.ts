/**
 * A first-in-first-out queue that adds and takes in constant time, whatever its length.
 *
 * A ring: nothing moves when items come and go at its ends.
 *
 * @module
 */

/** The length of the first ring. */
const capacityMin = 4;
/** An empty ring larger than this gives its memory back. */
const keptCapacityMax = 1_024;

/** A queue. It does not bound itself: the kernel refuses before it pushes. */
export class Mailbox<T> {
  #ring: (T | undefined)[] = [undefined, undefined, undefined, undefined];
  #mask = capacityMin - 1;
  #head = 0;
  #length = 0;
  /** How many items have been taken. */
  #taken = 0;

  get length(): number {
    return this.#length;
  }

  /** The number the next pushed item gets: they are counted from 0, and an item keeps its place until others are taken. */
  get end(): number {
    return this.#taken + this.#length;
  }

  push(item: T): void {
    if (this.#length > this.#mask) this.#resize((this.#mask + 1) * 2);
    this.#ring[(this.#head + this.#length) & this.#mask] = item;
    this.#length += 1;
  }

  /** Puts an item before all others. */
  unshift(item: T): void {
    if (this.#length > this.#mask) this.#resize((this.#mask + 1) * 2);
    this.#head = (this.#head - 1) & this.#mask;
    this.#ring[this.#head] = item;
    this.#length += 1;
    this.#taken -= 1;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined; // Let it be collected while the ring lives on.
    this.#head = (this.#head + 1) & this.#mask;
    this.#length -= 1;
    this.#taken += 1;
    if (this.#length === 0 && this.#mask >= keptCapacityMax) this.#resize(capacityMin);
    return item;
  }

  /** The item at a position, counted from the oldest. */
  at(index: number): T | undefined {
    return index < this.#length ? this.#ring[(this.#head + index) & this.#mask] : undefined;
  }

  /**
   * Takes the oldest item, not older than number `from`, that `wanted` accepts. The others keep their order. Costs as
   * much as the items looked at, and as the shorter side that must close up.
   */
  take(wanted: (item: T) => boolean, from = 0): T | undefined {
    for (let index = Math.max(0, from - this.#taken); index < this.#length; index += 1) {
      const item = this.#ring[(this.#head + index) & this.#mask]!;
      if (wanted(item)) {
        this.#close(index);
        return item;
      }
    }
    return undefined;
  }

  /** Removes the items `unwanted` accepts; the others keep their order. */
  remove(unwanted: (item: T) => boolean): void {
    for (let count = this.#length; count > 0; count -= 1) {
      const item = this.shift()!;
      if (unwanted(item)) continue;
      this.push(item);
      this.#taken -= 1;
    }
  }

  /** Closes the gap that an item at `index` leaves. */
  #close(index: number): void {
    if (index < this.#length / 2) {
      for (let at = index; at > 0; at -= 1) this.#move(at - 1, at);
      this.shift();
    } else {
      for (let at = index; at < this.#length - 1; at += 1) this.#move(at + 1, at);
      this.#ring[(this.#head + this.#length - 1) & this.#mask] = undefined;
      this.#length -= 1;
      this.#taken += 1;
    }
  }

  #move(from: number, to: number): void {
    this.#ring[(this.#head + to) & this.#mask] = this.#ring[(this.#head + from) & this.#mask];
  }

  #resize(capacity: number): void {
    const ring = Array.from<T | undefined>({ length: capacity }).fill(undefined);
    for (let index = 0; index < this.#length; index += 1) ring[index] = this.at(index);
    this.#ring = ring;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
