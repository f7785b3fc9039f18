/**
 * Topics: what one process broadcasts reaches every subscribed process of every node.
 *
 * One network subscription a topic and node; within the node a message is handed out directly, and broadcasts of one turn
 * to one topic share a network message. At most once, in the order of each broadcaster; a subscriber is told what it
 * misses ({@link MissedMessages}), whether it was lost on the way or the subscriber was too slow.
 *
 * @module
 */
import { copyPlainData, type Kernel, type NodeAddress, Pid, samePid } from "@coppice/kernel";
import {
  BadFrameError,
  decode,
  decodeChecked,
  encode,
  encodeChecked,
  subjectMatches,
  type Subscription,
  type Transport,
} from "@coppice/net";
import { SignalTooLargeError } from "./errors.ts";
import type { NodePort } from "./node-port.ts";
import { MissedMessages, type Outlet, type Outlets } from "./outlet.ts";
import { isPattern, type ServiceSubjects } from "./service-subjects.ts";
import { type StreamEnd, TopicSequences, TopicStreams } from "./topic-sequence-state.ts";

/** The most bytes of one broadcast, as of a signal; above NATS's payload limit it goes in parts. */
export const broadcastBytesMax = 8_000_000;
/** The most bytes of broadcasts that share a network message. */
const batchBytesMax = 48 * 1024;
/** The longest text that is short, in characters, and what a short message is counted as, in bytes. */
const shortLengthMax = 64;
const shortBytesMax = 200;

/** A broadcast with what came with it: for a subscription with `details`. */
export class Broadcast {
  readonly topic: string;
  /** The node it was broadcast on. */
  readonly node: string;
  readonly message: unknown;

  constructor(topic: string, node: string, message: unknown) {
    this.topic = topic;
    this.node = node;
    this.message = message;
  }
}

/** How to subscribe. */
export interface SubscribeOptions {
  /** Deliver {@link Broadcast}, which says the topic, instead of the bare message. Default: false. */
  readonly details?: boolean;
  /**
   * How many messages may wait in the subscriber's mailbox before broadcasts are withheld from it and counted; at most
   * the capacity of its mailbox makes sense. Default: 5_000.
   */
  readonly waitingMax?: number;
}

interface Subscriber {
  readonly outlet: Outlet;
  readonly details: boolean;
}

interface Interest {
  readonly pattern: string;
  readonly subscription: Subscription;
  readonly sequences: TopicSequences;
  readonly subscribers: Subscriber[];
  /** By printed pid: what stops its monitor. */
  readonly monitors: Map<string, () => void>;
}

/** Broadcasts to one topic that wait for the end of this turn. */
interface Batch {
  readonly bodies: unknown[];
  bytes: number;
}

export class PubSub {
  readonly #kernel: Kernel;
  readonly #transport: Transport;
  readonly #subjects: ServiceSubjects;
  readonly #outlets: Outlets;
  readonly #port: NodePort;
  readonly #addressOf: (node: string) => NodeAddress | undefined;
  readonly #accepts: (from: NodeAddress) => boolean;
  readonly #interests = new Map<string, Interest>();
  /** Those of them that are patterns. */
  readonly #patterns = new Set<Interest>();
  readonly #streams = new TopicStreams();
  readonly #batches = new Map<string, Batch>();
  readonly #subjectOf = new Map<string, string>();

  constructor(options: {
    readonly kernel: Kernel;
    readonly transport: Transport;
    readonly subjects: ServiceSubjects;
    readonly outlets: Outlets;
    readonly port: NodePort;
    /** The life of a node that is up. */
    readonly addressOf: (node: string) => NodeAddress | undefined;
    /** Whether what that life of a node says counts. */
    readonly accepts: (from: NodeAddress) => boolean;
  }) {
    this.#kernel = options.kernel;
    this.#transport = options.transport;
    this.#subjects = options.subjects;
    this.#outlets = options.outlets;
    this.#port = options.port;
    this.#addressOf = options.addressOf;
    this.#accepts = options.accepts;
    this.#port.on("pubsub.direct", (from, [topic, body]) => {
      if (typeof topic !== "string" || !(body instanceof Uint8Array))
        throw new BadFrameError("a direct broadcast is malformed");
      this.#deliver(topic, from.node, decode(body), undefined);
    });
  }

  /**
   * Delivers what is broadcast on a topic to a process of this node, as plain messages, until it ends. In a pattern `*`
   * stands for one token between dots and a last `>` for one or more. Subscribing twice delivers twice (D4.1). From other
   * nodes it takes effect when the network has it: what is broadcast there in the same moment may not arrive.
   *
   * @throws {RangeError} for a topic that is too long, or a `>` that is not last.
   */
  subscribe(topic: string, pid: Pid, options: SubscribeOptions = {}): void {
    const interest = this.#interests.get(topic) ?? this.#open(topic);
    const outlet = this.#outlets.open(pid, topic, options.waitingMax);
    interest.subscribers.push({ outlet, details: options.details ?? false });
    const key = pid.toString();
    if (interest.monitors.has(key)) return;
    interest.monitors.set(
      key,
      this.#kernel.monitor(pid, () => this.#leave(interest, pid)),
    );
  }

  /** Ends every subscription of the process to exactly this topic or pattern. */
  unsubscribe(topic: string, pid: Pid): void {
    const interest = this.#interests.get(topic);
    if (interest === undefined) return;
    interest.monitors.get(pid.toString())?.();
    this.#leave(interest, pid);
  }

  /**
   * Sends to every subscriber of the topic on every node: those of other nodes with the end of this turn, those of this
   * one at once. Nothing is said if the network is down.
   *
   * @throws {NotPlainDataError} for a message that could not cross nodes.
   * @throws {SignalTooLargeError} for more than {@link broadcastBytesMax} bytes.
   * @throws {RangeError} for a pattern, or a topic that is too long.
   */
  broadcast(topic: string, message: unknown): void {
    this.#publish(topic, message, undefined);
  }

  /** As {@link broadcast}, but not to the process `from` itself. */
  broadcastFrom(from: Pid, topic: string, message: unknown): void {
    this.#publish(topic, message, from);
  }

  /** Sends to the subscribers on this node only. @throws {NotPlainDataError} */
  broadcastLocal(topic: string, message: unknown): void {
    encode(message);
    this.#deliver(topic, this.#kernel.address.node, message, undefined);
  }

  /** As {@link broadcastLocal}, but not to the process `from` itself. */
  broadcastLocalFrom(from: Pid, topic: string, message: unknown): void {
    encode(message);
    this.#deliver(topic, this.#kernel.address.node, message, from);
  }

  /** Sends to the subscribers on one node. It is dropped if no such node is up. @throws as {@link broadcast}. */
  directBroadcast(node: string, topic: string, message: unknown): void {
    const own = this.#kernel.address.node;
    const body = encodeBody(message);
    this.#subjects.topic(topic);
    if (node === own) return this.#deliver(topic, own, message, undefined);
    const address = this.#addressOf(node);
    if (address !== undefined) this.#port.cast(address, "pubsub.direct", [topic, body]);
  }

  /** How many topics and patterns have a subscriber here. */
  get size(): number {
    return this.#interests.size;
  }

  /** The ends of this node's streams, for its pulse. */
  streamEnds(): readonly StreamEnd[] {
    this.#flushAll();
    return this.#streams.ends();
  }

  /** Somebody may not have heard where this node's streams end: the next pulse says all of it. */
  sayEndsAgain(): void {
    this.#streams.sayAgain();
  }

  /** Where another node's streams end: what was lost last is noticed here. */
  heardStreamEnds(from: NodeAddress, ends: readonly StreamEnd[]): void {
    for (const end of ends)
      for (const interest of this.#interestsIn(end.topic))
        this.#reportLost(interest, end.topic, from.node, interest.sequences.ended(from, end));
  }

  stop(): void {
    this.#flushAll();
    for (const { subscription, monitors } of this.#interests.values()) {
      subscription.unsubscribe();
      for (const stop of monitors.values()) stop();
    }
    this.#interests.clear();
    this.#patterns.clear();
  }

  #publish(topic: string, message: unknown, from: Pid | undefined): void {
    const body = isShort(message) ? message : encodeBody(message);
    const bytes = body instanceof Uint8Array ? body.length : shortBytesMax;
    let batch = this.#batches.get(topic);
    if (batch === undefined) {
      if (!this.#subjectOf.has(topic)) this.#keepSubject(topic);
      batch = { bodies: [], bytes: 0 };
      this.#batches.set(topic, batch);
      if (this.#batches.size === 1) queueMicrotask(() => this.#flushAll());
    }
    if (batch.bytes + bytes > batchBytesMax) this.#flush(topic, batch);
    batch.bytes += bytes;
    const isForeign = from !== undefined && from.node !== this.#kernel.address.node;
    batch.bodies.push(isForeign ? [body, from] : body);
    this.#deliver(topic, this.#kernel.address.node, message, from);
  }

  /** The subject of a topic is not built anew for each broadcast. */
  #keepSubject(topic: string): void {
    const subject = this.#subjects.topic(topic);
    if (this.#subjectOf.size >= 1_000) this.#subjectOf.clear();
    this.#subjectOf.set(topic, subject);
  }

  #flushAll(): void {
    for (const [topic, batch] of this.#batches) this.#flush(topic, batch);
    this.#batches.clear();
  }

  #flush(topic: string, batch: Batch): void {
    const { length } = batch.bodies;
    if (length === 0) return;
    const { node, incarnation } = this.#kernel.address;
    const { stream, first } = this.#streams.take(topic, length);
    const data = encodeChecked([node, incarnation, stream, first, batch.bodies.splice(0)]);
    batch.bytes = 0;
    const subject = this.#subjectOf.get(topic) ?? this.#subjects.topic(topic);
    this.#transport.publish(subject, data, { inParts: true });
  }

  #open(pattern: string): Interest {
    const subject = this.#subjects.topicPattern(pattern);
    const isWild = isPattern(pattern);
    const subscription = this.#transport.subscribe(subject, (message) =>
      this.#arrived(
        interest,
        isWild ? this.#subjects.parseTopic(message.subject) : pattern,
        message.data,
      ),
    );
    const interest: Interest = {
      pattern,
      subscription,
      sequences: new TopicSequences(),
      subscribers: [],
      monitors: new Map(),
    };
    this.#interests.set(pattern, interest);
    if (isWild) this.#patterns.add(interest);
    return interest;
  }

  #leave(interest: Interest, pid: Pid): void {
    interest.monitors.delete(pid.toString());
    const left = interest.subscribers.filter(({ outlet }) => !samePid(outlet.pid, pid));
    interest.subscribers.splice(0, Infinity, ...left);
    if (left.length > 0 || this.#interests.get(interest.pattern) !== interest) return;
    interest.subscription.unsubscribe();
    this.#interests.delete(interest.pattern);
    this.#patterns.delete(interest);
  }

  #arrived(interest: Interest, topic: string | undefined, data: Uint8Array): void {
    const { from, stream, first, bodies } = parse(decodeChecked(data));
    if (topic === undefined) throw new BadFrameError("a broadcast has no topic");
    if (from.node === this.#kernel.address.node) return; // Handed out already.
    if (!this.#accepts(from)) return; // N2
    const parsed = bodies.map(parseBody); // Before they count as arrived: what cannot be read is lost.
    const batch = { topic, stream, first, count: bodies.length };
    const { missed, repeated } = interest.sequences.arrived(from, batch);
    this.#reportLost(interest, topic, from.node, missed);
    for (const { message, except } of repeated === 0 ? parsed : parsed.slice(repeated))
      handOut(interest, topic, from.node, message, except);
  }

  #reportLost(interest: Interest, topic: string, node: string, count: number): void {
    if (count === 0) return;
    const fields = { event: "broadcasts_lost", topic, node, count };
    this.#kernel.logger.warn(fields, `${count} broadcasts of node ${node} to ${topic} were lost`);
    const missed = new MissedMessages({ source: topic, reason: "lost", count, node });
    for (const { outlet } of interest.subscribers) outlet.deliver(missed);
  }

  #interestsIn(topic: string): Interest[] {
    const exact = this.#interests.get(topic);
    const patterns = [...this.#patterns].filter(({ pattern }) => subjectMatches(pattern, topic));
    return exact === undefined ? patterns : [exact, ...patterns];
  }

  #deliver(topic: string, node: string, message: unknown, except: Pid | undefined): void {
    if (this.#patterns.size === 0) {
      const exact = this.#interests.get(topic);
      if (exact !== undefined) handOut(exact, topic, node, message, except);
      return;
    }
    for (const interest of this.#interestsIn(topic))
      handOut(interest, topic, node, message, except);
  }
}

function handOut(
  { subscribers }: Interest,
  topic: string,
  node: string,
  message: unknown,
  except: Pid | undefined,
): void {
  for (const { outlet, details } of subscribers) {
    if (except !== undefined && samePid(outlet.pid, except)) continue;
    if (!details) outlet.send(message);
    else outlet.deliver(new Broadcast(topic, node, copyPlainData(message, "message")));
  }
}

function encodeBody(message: unknown): Uint8Array {
  const body = encode(message);
  if (body.length > broadcastBytesMax)
    throw new SignalTooLargeError(body.length, broadcastBytesMax);
  return body;
}

function parse(value: unknown): {
  readonly from: NodeAddress;
  readonly stream: number;
  readonly first: number;
  readonly bodies: readonly unknown[];
} {
  const [node, incarnation, stream, first, bodies] = Array.isArray(value)
    ? (value as unknown[])
    : [];
  if (
    typeof node !== "string" ||
    typeof incarnation !== "string" ||
    typeof stream !== "number" ||
    typeof first !== "number" ||
    !Array.isArray(bodies)
  )
    throw new BadFrameError("a broadcast is malformed");
  return { from: { node, incarnation }, stream, first, bodies: bodies as unknown[] };
}

function parseBody(value: unknown): { readonly message: unknown; readonly except?: Pid } {
  if (isShort(value)) return { message: value };
  if (value instanceof Uint8Array) return { message: decode(value) };
  const [body, except] = Array.isArray(value) ? (value as unknown[]) : [];
  if (!(isShort(body) || body instanceof Uint8Array) || !(except instanceof Pid))
    throw new BadFrameError("a broadcast is malformed");
  return { message: isShort(body) ? body : decode(body), except };
}

/** Short texts and numbers travel as they are; all else as bytes, made at once, before anybody can change it. */
function isShort(message: unknown): message is string | number | boolean {
  return (
    (typeof message === "string" && message.length <= shortLengthMax) ||
    typeof message === "number" ||
    typeof message === "boolean"
  );
}
