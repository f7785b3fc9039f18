/**
 * The channels to other nodes: signals out in batches, in order; signals in, with gaps noticed.
 *
 * A message is one `hello` frame (to and from which life, which opening of the channel, and the number of the message)
 * and one frame a signal.
 * Invariants:
 *   L1. Signals to one node leave in the order they were given (A6.1).
 *   L2. A lost message is noticed by the number of the next, and ends every relation that could have been in it.
 *
 * @module
 */
import type { Logger, NodeAddress, Signal } from "@coppice/kernel";
import {
  BadFrameError,
  decode,
  decodeFrames,
  encode,
  encodeFrame,
  type Subjects,
  type Subscription,
  type Transport,
} from "@coppice/net";
import { Buffer } from "node:buffer";
import { SignalTooLargeError } from "./errors.ts";

/** The most bytes of signals in one message. NATS recommends small messages; one larger signal goes alone. */
export const batchBytesMax = 48 * 1024;
/** The most bytes one signal may have: NATS carries 1 MiB, less the headers. */
export const signalBytesMax = 1_000_000;

const kinds = { hello: 0, signal: 1 } as const;

interface Outgoing {
  readonly address: NodeAddress;
  /** Counts the openings: after a node was down, its channel starts anew. */
  readonly channel: number;
  frames: Uint8Array[];
  bytes: number;
  sent: number;
}

interface Received {
  readonly incarnation: string;
  readonly channel: number;
  readonly number: number;
}

/** What the node does with what arrives. */
export interface LinkReceiver {
  /** A message arrived from that life of a node. */
  readonly heard: (from: NodeAddress) => void;
  readonly receive: (signal: Signal) => void;
  /** Messages of that node were lost. */
  readonly gap: (from: NodeAddress) => void;
}

export class PeerLinks {
  readonly #self: NodeAddress;
  readonly #transport: Transport;
  readonly #subjects: Subjects;
  readonly #receiver: LinkReceiver;
  readonly #logger: Logger;
  readonly #outgoing = new Map<string, Outgoing>();
  /** The number of the last message, by life of a node. */
  readonly #received = new Map<string, Received>();
  #channels = 0;
  #subscription: Subscription | undefined;

  constructor(options: {
    readonly self: NodeAddress;
    readonly transport: Transport;
    readonly subjects: Subjects;
    readonly receiver: LinkReceiver;
    readonly logger: Logger;
  }) {
    this.#self = options.self;
    this.#transport = options.transport;
    this.#subjects = options.subjects;
    this.#receiver = options.receiver;
    this.#logger = options.logger;
  }

  start(): void {
    const pattern = this.#subjects.nodeAll(this.#self.node);
    this.#subscription = this.#transport.subscribe(pattern, ({ data }) => this.#arrived(data));
  }

  stop(): void {
    this.#subscription?.unsubscribe();
    for (const outgoing of this.#outgoing.values()) this.#flush(outgoing);
  }

  /** Opens the channel to a node that came up. */
  up({ node, incarnation }: NodeAddress): void {
    if (this.#outgoing.get(node)?.address.incarnation === incarnation) return;
    this.#channels += 1;
    const address = { node, incarnation };
    this.#outgoing.set(node, { address, channel: this.#channels, frames: [], bytes: 0, sent: 0 });
  }

  down({ node, incarnation }: NodeAddress): void {
    if (this.#outgoing.get(node)?.address.incarnation === incarnation) this.#outgoing.delete(node);
    if (this.#received.get(node)?.incarnation === incarnation) this.#received.delete(node);
  }

  /** For the kernel: queues a signal until the end of this turn. False: no such node is up. */
  deliver(signal: Signal): boolean {
    const outgoing = this.#outgoing.get(signal.to.node);
    if (outgoing === undefined || outgoing.address.incarnation !== signal.to.incarnation)
      return false;
    const body = encode(signal);
    if (body.length > signalBytesMax) throw new SignalTooLargeError(body.length, signalBytesMax);
    if (outgoing.bytes + body.length > batchBytesMax) this.#flush(outgoing);
    outgoing.frames.push(encodeFrame({ kind: kinds.signal, body }));
    outgoing.bytes += body.length;
    if (outgoing.frames.length === 1) queueMicrotask(() => this.#flush(outgoing));
    return true;
  }

  #flush(outgoing: Outgoing): void {
    const { frames, address } = outgoing;
    if (frames.length === 0) return;
    outgoing.frames = [];
    outgoing.bytes = 0;
    outgoing.sent += 1;
    const { node, incarnation } = this.#self;
    const body = encode([address.incarnation, incarnation, node, outgoing.channel, outgoing.sent]);
    const hello = encodeFrame({ kind: kinds.hello, body });
    const subject = this.#subjects.node(address.node, node);
    this.#transport.publish(subject, Buffer.concat([hello, ...frames]));
  }

  #arrived(data: Uint8Array): void {
    const [hello, ...frames] = decodeFrames(data);
    if (hello?.kind !== kinds.hello) throw new BadFrameError("a message does not start with hello");
    const { to, from, channel, number } = parseHello(decode(hello.body));
    if (to !== this.#self.incarnation) return; // Meant for an earlier life of this node.
    this.#receiver.heard(from);
    this.#count(from, channel, number);
    for (const { body } of frames) this.#receiver.receive(decode(body) as Signal);
  }

  #count(from: NodeAddress, channel: number, number: number): void {
    const { incarnation } = from;
    const last = this.#received.get(from.node);
    this.#received.set(from.node, { incarnation, channel, number });
    if (last?.incarnation !== incarnation) return;
    if (last.channel === channel && number === last.number + 1) return;
    this.#logger.warn(
      { event: "messages_lost", node: from.node, channel, expected: last.number + 1, number },
      `messages of node ${from.node} were lost: what depended on them ends with noconnection`,
    );
    this.#receiver.gap(from);
  }
}

function parseHello(value: unknown): {
  readonly to: string;
  readonly from: NodeAddress;
  readonly channel: number;
  readonly number: number;
} {
  const [to, incarnation, node, channel, number] = Array.isArray(value) ? (value as unknown[]) : [];
  if (
    typeof to !== "string" ||
    typeof incarnation !== "string" ||
    typeof node !== "string" ||
    typeof channel !== "number" ||
    typeof number !== "number"
  )
    throw new BadFrameError("a hello frame is malformed");
  return { to, from: { node, incarnation }, channel, number };
}
