/**
 * Messages to another thread, posted together: one post for all that comes up in a turn of the event loop.
 *
 * A batch is one flat list, in which the length of each message stands before it: to copy a list within a list costs several
 * times as much as what is in it.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";

/** A batch goes at once when it is as long as this, so that the other side works on it while this one goes on. */
const batchMax = 32;

/** A batch as it is posted. */
export type Batch = readonly unknown[];

/** Hands out the messages of a batch, in order. */
export function eachOf(batch: Batch, receive: (message: readonly unknown[]) => void): void {
  for (let at = 0; at < batch.length;) {
    const from = at + 1;
    at = from + (batch[at] as number);
    receive(batch.slice(from, at));
  }
}

export class Outbox<M extends readonly unknown[]> {
  readonly #clock: Clock;
  readonly #post: (batch: Batch) => void;
  readonly #refused: (message: M, error: Error) => void;
  #batch: M[] = [];

  /** `refused` is told of a message that holds what cannot cross threads; the others still go. */
  constructor(
    clock: Clock,
    post: (batch: Batch) => void,
    refused: (message: M, error: Error) => void,
  ) {
    this.#clock = clock;
    this.#post = post;
    this.#refused = refused;
  }

  push(message: M): void {
    if (this.#batch.length === 0) this.#clock.soon(this.#flush);
    this.#batch.push(message);
    if (this.#batch.length >= batchMax) this.#flush();
  }

  readonly #flush = (): void => {
    const batch = this.#batch;
    if (batch.length === 0) return; // It went already.
    this.#batch = [];
    const packed: unknown[] = [];
    for (const message of batch) packed.push(message.length, ...message);
    try {
      this.#post(packed);
    } catch {
      for (const message of batch) this.#postAlone(message);
    }
  };

  #postAlone(message: M): void {
    try {
      this.#post([message.length, ...message]);
    } catch (thrown) {
      this.#refused(message, thrown as Error);
    }
  }
}
