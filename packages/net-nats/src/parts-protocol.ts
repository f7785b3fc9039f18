/**
 * Messages in parts: how one that is too large for the network is cut, and put together again.
 *
 * The parts of a message follow one another on one connection, so a subscriber gets them in order or not at all. Each
 * says in a header which message it belongs to, its index, and how many there are. A message whose parts do not come
 * in order, or not within {@link partsMsMax}, is dropped; what waits is bounded by {@link waitingBytesMax}.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BadFrameError, partedBytesMax } from "@coppice/net";

/** The header of a part: `<message> <index> <count>`. */
export const partHeader = "Coppice-Part";
/** What the header and the server's own framing may take of a payload, in bytes. */
const headroomBytes = 1_024;
/** How long the parts of one message may take, in milliseconds. */
export const partsMsMax = 10_000;
/** How much of unfinished messages is kept, in bytes. The oldest is dropped first. */
export const waitingBytesMax = 64 << 20;
/** The fewest bytes of a part that is not the last: fewer, and a message had too many parts. */
const partBytesMin = 1_024;

/** The pieces of a message, as views. */
export function cut(data: Uint8Array, payloadBytesMax: number): Uint8Array[] {
  const size = Math.max(partBytesMin, payloadBytesMax - headroomBytes);
  const count = Math.ceil(data.length / size);
  return Array.from({ length: count }, (_, index) =>
    data.subarray(index * size, (index + 1) * size),
  );
}

interface Waiting {
  readonly count: number;
  readonly parts: Uint8Array[];
  readonly sinceMs: number;
  bytes: number;
}

/** What has arrived of messages that are not whole yet. */
export class Parts {
  readonly #waiting = new Map<string, Waiting>();
  #bytes = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes one part. The message, when it was the last.
   *
   * @throws {BadFrameError} if it does not follow what arrived before, or exceeds a limit: its message is dropped.
   */
  add(
    subscription: string,
    header: string,
    data: Uint8Array,
    nowMs: number,
  ): Uint8Array | undefined {
    this.#dropOld(nowMs);
    const { message, index, count } = parse(header);
    const key = `${subscription} ${message}`;
    const waiting = this.#waiting.get(key) ?? { count, parts: [], sinceMs: nowMs, bytes: 0 };
    this.#drop(key);
    const follows = waiting.parts.length === index && waiting.count === count;
    if (!follows) throw new BadFrameError(`part ${index} of ${count} does not follow the last`);
    if (waiting.bytes + data.length > partedBytesMax)
      throw new BadFrameError(`a message in parts has more than ${partedBytesMax} bytes`);
    waiting.parts.push(data.slice());
    waiting.bytes += data.length;
    if (waiting.parts.length === count) return Buffer.concat(waiting.parts);
    this.#waiting.set(key, waiting);
    this.#bytes += waiting.bytes;
    this.#dropMuch();
    return undefined;
  }

  #dropOld(nowMs: number): void {
    for (const [key, { sinceMs }] of this.#waiting)
      if (nowMs - sinceMs > partsMsMax) this.#drop(key);
  }

  #dropMuch(): void {
    for (const key of this.#waiting.keys()) {
      if (this.#bytes <= waitingBytesMax) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    this.#bytes -= waiting.bytes;
  }
}

function parse(header: string): {
  readonly message: string;
  readonly index: number;
  readonly count: number;
} {
  const match = /^([A-Za-z0-9.]{1,64}) (\d{1,6}) (\d{1,6})$/.exec(header);
  const [index, count] = [Number(match?.[2]), Number(match?.[3])];
  const countMax = Math.ceil(partedBytesMax / partBytesMin);
  if (match === null || count < 2 || count > countMax || index >= count)
    throw new BadFrameError(`a header of a part is malformed: ${header.slice(0, 100)}`);
  return { message: match[1]!, index, count };
}
