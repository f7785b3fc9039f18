/**
 * Messages to another thread, posted together: one post for all that comes up in a turn of the event loop.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";

/** A batch goes at once when it is as long as this, so that the other side works on it while this one goes on. */
const batchMax = 32;

export class Outbox<M> {
  readonly #clock: Clock;
  readonly #post: (batch: readonly M[]) => void;
  readonly #refused: (message: M, error: Error) => void;
  #batch: M[] = [];

  /** `refused` is told of a message that holds what cannot cross threads; the others still go. */
  constructor(
    clock: Clock,
    post: (batch: readonly M[]) => void,
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
    try {
      this.#post(batch);
    } catch {
      for (const message of batch) this.#postAlone(message);
    }
  };

  #postAlone(message: M): void {
    try {
      this.#post([message]);
    } catch (thrown) {
      this.#refused(message, thrown as Error);
    }
  }
}
