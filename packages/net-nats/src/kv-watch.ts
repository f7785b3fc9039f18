/**
 * One watch of a bucket, which goes on when what serves it in NATS is gone.
 *
 * The client's ordered consumer starts itself again after a gap it sees. What it does not see for up to a minute: that its
 * consumer died with the server that had it, or that the last messages were lost while it was disconnected. So the
 * consumer is asked regularly how far it is.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";
import {
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JsMsg,
  type PushConsumer,
} from "@nats-io/jetstream";

/** How often the consumer is asked, in milliseconds. A loss is acted on when two answers in a row show it. */
const checkEveryMs = 1_000;

/** What is watched, and what is told of it. */
export interface KvWatchOptions {
  readonly jetstream: JetStreamClient;
  readonly stream: string;
  readonly filter: string;
  readonly clock: Clock;
  /**
   * It may throw: a throw in a callback of this client would stop its whole connection. A message of which it throws was
   * damaged on the way, or is no good: it is asked for once more.
   */
  readonly onMessage: (message: JsMsg) => void;
  /** Whether the sequence of a message is so odd that it is asked for once more. */
  readonly isDoubtful: (sequence: number) => boolean;
  /** Told of what `onMessage` throws of a message twice. */
  readonly report: (thrown: unknown) => void;
}

/** Resolves when everything that was there has been told. */
export async function openKvWatch(options: KvWatchOptions): Promise<{ readonly stop: () => void }> {
  const watch = new KvWatch(options);
  await watch.open();
  return watch;
}

class KvWatch {
  readonly #options: KvWatchOptions;
  #consumer: PushConsumer | undefined;
  #messages: ConsumerMessages | undefined;
  /** The last message of the stream that was told. */
  #streamSequence = 0;
  /** The last message of this consumer. */
  #delivered = 0;
  /** The message that was asked for once more. */
  #refused: number | undefined;
  /** What was delivered when the last answer showed more. */
  #behindAt: number | undefined;
  #stopTimer: (() => void) | undefined;
  #stopped = false;
  #consuming: Promise<void> | undefined;
  /** What was there when a consumer began has been told. Also one that took the place of the first may find that. */
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: KvWatchOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    await this.#consume();
    this.#checkLater();
    await this.#synced.promise;
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
    this.#messages?.stop();
  }

  /** From the last message on, in place of the consumer there was. */
  #consume(): Promise<void> {
    this.#consuming ??= this.#consumeNow().finally(() => {
      this.#consuming = undefined;
    });
    return this.#consuming;
  }

  async #consumeNow(): Promise<void> {
    const { jetstream, stream, filter } = this.#options;
    // What the one before still tells would be told again by the next, and go back.
    this.#messages?.stop();
    this.#consumer = undefined;
    const from =
      this.#streamSequence === 0
        ? { deliver_policy: DeliverPolicy.LastPerSubject }
        : {
            deliver_policy: DeliverPolicy.StartSequence,
            opt_start_seq: this.#streamSequence + 1,
          };
    const consumer = await jetstream.consumers.getPushConsumer(stream, {
      filter_subjects: filter,
      ...from,
    });
    let left = (await consumer.info(true)).num_pending;
    if (left === 0) this.#synced.resolve();
    this.#delivered = 0;
    this.#behindAt = undefined;
    this.#consumer = consumer;
    this.#messages = await consumer.consume({
      callback: (message) => {
        if (consumer !== this.#consumer || !this.#tell(message)) return;
        left -= 1;
        if (left === 0) this.#synced.resolve();
      },
    });
    if (this.#stopped) this.#messages.stop();
  }

  /** False: it is asked for once more. */
  #tell(message: JsMsg): boolean {
    const { onMessage, isDoubtful, report } = this.#options;
    let sequence: number | undefined;
    try {
      sequence = message.seq; // It throws, too, if what the server says of the message is damaged.
      this.#delivered = message.info.deliverySequence;
      if (sequence !== this.#refused && isDoubtful(sequence)) return this.#askAgain(sequence);
      onMessage(message);
    } catch (thrown) {
      if (sequence === undefined || sequence !== this.#refused) return this.#askAgain(sequence);
      report(thrown);
    }
    this.#streamSequence = sequence;
    return true;
  }

  #askAgain(sequence: number | undefined): false {
    this.#refused = sequence;
    this.#consumer = undefined; // What comes after it is told after it.
    const again = (): Promise<void> => this.#consume();
    (this.#consuming ?? Promise.resolve()).then(again, again).catch(() => {}); // Tried again regularly.
    return false;
  }

  #checkLater(): void {
    if (!this.#stopped) this.#stopTimer = this.#options.clock.after(checkEveryMs, this.#check);
  }

  readonly #check = (): void => {
    void this.#isLost()
      .then((isLost) => (isLost && !this.#stopped ? this.#consume() : undefined))
      .catch(() => {}) // The stream cannot be reached now: it is tried again.
      .finally(() => this.#checkLater());
  };

  async #isLost(): Promise<boolean> {
    if (this.#consumer === undefined) return true; // The last try to get one failed.
    const before = this.#delivered;
    let delivered: number;
    try {
      delivered = (await this.#consumer.info()).delivered.consumer_seq;
    } catch {
      return true; // There is no such consumer, or the server that has it does not answer.
    }
    const isBehind = delivered > before && this.#delivered === before;
    const wasBehind = this.#behindAt === before;
    this.#behindAt = isBehind ? before : undefined;
    return isBehind && wasBehind;
  }
}
