/**
 * Numbers of broadcasts: what a subscriber's node concludes from the numbers it sees, as a pure state machine.
 *
 * A publisher is one life of one node. Its broadcasts to one topic form a stream, numbered from 1.
 * Invariants:
 *   P1. Of one stream, what is accepted is in order and without duplicates; every number left out is reported once.
 *
 * @module
 */
import type { NodeAddress } from "@coppice/kernel";

/** The last broadcast of a stream. */
export interface StreamEnd {
  readonly topic: string;
  /** Which stream of the topic: a publisher that has forgotten one begins another. */
  readonly stream: number;
  readonly last: number;
}

/** What a batch means: how many broadcasts are missing before it, and how many of its first were seen before. */
export interface Accepted {
  readonly missed: number;
  readonly repeated: number;
}

/** The most streams that are remembered on either side. The longest unused one is forgotten: a loss there goes unseen. */
export const streamsMax = 10_000;

interface Position {
  readonly stream: number;
  /** The number that comes next. */
  next: number;
}

/** What arrived of the streams of other nodes. */
export class TopicSequences {
  readonly #positions = new Map<string, Position>();

  /** Broadcasts `first` to `first + count - 1` arrived. The first ever seen of a stream begins it. */
  arrived(
    from: NodeAddress,
    batch: {
      readonly topic: string;
      readonly stream: number;
      readonly first: number;
      readonly count: number;
    },
  ): Accepted {
    const { stream, first, count } = batch;
    const key = keyOf(from, batch.topic);
    const position = this.#positions.get(key);
    this.#positions.delete(key); // The order of the map is the order of use.
    const known = position?.stream === stream ? position : undefined;
    const next = known?.next ?? first;
    this.#positions.set(key, { stream, next: Math.max(next, first + count) });
    this.#forgetOldest();
    return {
      missed: Math.max(0, first - next),
      repeated: Math.min(count, Math.max(0, next - first)),
    };
  }

  /** The publisher says where its stream ends. Returns how many broadcasts are missing before that. */
  ended(from: NodeAddress, { topic, stream, last }: StreamEnd): number {
    const { missed } = this.arrived(from, { topic, stream, first: last + 1, count: 0 });
    return missed;
  }

  #forgetOldest(): void {
    if (this.#positions.size <= streamsMax) return;
    const [oldest] = this.#positions.keys();
    this.#positions.delete(oldest!);
  }
}

function keyOf({ node, incarnation }: NodeAddress, topic: string): string {
  return `${node} ${incarnation} ${topic}`;
}

interface Stream {
  readonly stream: number;
  last: number;
  /** In how many more pulses its end is said. */
  pulsesLeft: number;
}

/** In how many pulses the end of a stream is said after its last broadcast: some may be lost. */
const pulsesPerEnd = 4;

/** The streams of this node. */
export class TopicStreams {
  readonly #streams = new Map<string, Stream>();
  #count = 0;

  /** Numbers the next `count` broadcasts to a topic. */
  take(topic: string, count: number): { readonly stream: number; readonly first: number } {
    let stream = this.#streams.get(topic);
    this.#streams.delete(topic);
    if (stream === undefined) {
      this.#count += 1;
      stream = { stream: this.#count, last: 0, pulsesLeft: 0 };
    }
    this.#streams.set(topic, stream);
    if (this.#streams.size > streamsMax) {
      const [oldest] = this.#streams.keys();
      this.#streams.delete(oldest!);
    }
    const first = stream.last + 1;
    stream.last += count;
    stream.pulsesLeft = pulsesPerEnd;
    return { stream: stream.stream, first };
  }

  /** Somebody may not have heard the ends when they were said: the next pulse says all of them. */
  sayAgain(): void {
    for (const each of this.#streams.values()) each.pulsesLeft = Math.max(1, each.pulsesLeft);
  }

  /** The ends to say in this pulse. */
  ends(): StreamEnd[] {
    const ends: StreamEnd[] = [];
    for (const [topic, each] of this.#streams) {
      if (each.pulsesLeft === 0) continue;
      each.pulsesLeft -= 1;
      ends.push({ topic, stream: each.stream, last: each.last });
    }
    return ends;
  }
}
