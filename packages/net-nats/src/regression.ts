/**
 * Notices that a bucket has gone back: that its server lost writes it had acknowledged, as in a power cut.
 *
 * Whoever watched the bucket would be told nothing more until it has caught up, and hold revisions that never were.
 *
 * @module
 */
import { type Clock, sleep } from "@coppice/kernel";
import { type JetStreamClient, JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { StoreRegressedError } from "./errors.ts";

/**
 * Of several servers one that was cut off may answer for the bucket as it was, until it notices after 10 s: what it says is
 * asked again so much later, in milliseconds.
 */
const confirmAfterMs = 15_000;

/**
 * A revision that is ahead of all that was seen by more than this is asked for once more: one digit of it may have been damaged on
 * the way, and whoever believed it would take the store for one that went back.
 */
const farRevisions = 1_000;

export class Regression {
  readonly #jetstream: JetStreamClient;
  readonly #stream: string;
  readonly #clock: Clock;
  readonly #fail: (error: StoreRegressedError) => void;
  #highest = 0;

  constructor(options: {
    readonly jetstream: JetStreamClient;
    readonly stream: string;
    readonly clock: Clock;
    /** Is told, once for each time it was looked for and found. */
    readonly fail: (error: StoreRegressedError) => void;
  }) {
    this.#jetstream = options.jetstream;
    this.#stream = options.stream;
    this.#clock = options.clock;
    this.#fail = options.fail;
  }

  /** A write that the server has acknowledged, or told of. */
  seen(revision: number): void {
    this.#highest = Math.max(this.#highest, revision);
  }

  /** Whether a revision is so far ahead that it may have been damaged. */
  isFar(revision: number): boolean {
    return this.#highest > 0 && revision > this.#highest + farRevisions;
  }

  /** To be called when there is a connection again: only a server that went away can have gone back. */
  async look(): Promise<void> {
    const seen = this.#highest;
    const found = await this.#last();
    if (found.revision >= seen) return;
    if (found.replicas > 1) {
      await sleep(this.#clock, confirmAfterMs);
      if ((await this.#last()).revision >= seen) return;
    }
    this.#fail(new StoreRegressedError(this.#stream, seen, found.revision));
  }

  /** The revision of the last write; 0 for a bucket that is gone. */
  async #last(): Promise<{ readonly revision: number; readonly replicas: number }> {
    const manager = await this.#jetstream.jetstreamManager(false);
    try {
      const { state, config } = await manager.streams.info(this.#stream);
      return { revision: state.last_seq, replicas: config.num_replicas };
    } catch (thrown) {
      const isGone =
        thrown instanceof JetStreamApiError && thrown.code === JetStreamApiCodes.StreamNotFound;
      if (!isGone) throw thrown;
      return { revision: 0, replicas: 1 };
    }
  }
}
