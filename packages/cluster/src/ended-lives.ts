/**
 * The lives of nodes whose sessions are over: nothing of them is heard.
 *
 * What such a node owned may belong to others by now, and what was related to it has been told that it is gone. It may not
 * know that yet: it was frozen, or cut off. One that was cut off, and noticed, opens a session again and is heard again;
 * one that was frozen ends.
 *
 * @module
 */
import type { NodeAddress } from "@coppice/kernel";

/** How many are remembered; then the oldest are forgotten. */
export const endedLivesMax = 10_000;

export class EndedLives {
  /** How often each was heard since. */
  readonly #lives = new Map<string, number>();

  add(address: NodeAddress): void {
    this.#lives.set(keyOf(address), 0);
    if (this.#lives.size <= endedLivesMax) return;
    const [oldest] = this.#lives.keys();
    this.#lives.delete(oldest!);
  }

  /** It has a session again: it was cut off, and has noticed. */
  delete(address: NodeAddress): void {
    this.#lives.delete(keyOf(address));
  }

  has(address: NodeAddress): boolean {
    return this.#lives.size > 0 && this.#lives.has(keyOf(address));
  }

  /** Counts what was heard of an ended life, and is dropped. Returns how often that was. */
  count(address: NodeAddress): number {
    const count = (this.#lives.get(keyOf(address)) ?? 0) + 1;
    this.#lives.set(keyOf(address), count);
    return count;
  }
}

function keyOf({ node, incarnation }: NodeAddress): string {
  return `${incarnation} ${node}`;
}
