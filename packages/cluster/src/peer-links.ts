/**
 * The channels to other nodes: signals out in packets, in order; signals in, with gaps noticed.
 *
 * Invariants:
 *   L1. Signals to one node leave in the order they were given (A6.1).
 *   L2. A lost packet is noticed by the number of the next, and ends every relation that could have been in it, on both
 *       sides: the receiver opens its own channel anew.
 *   L3. A channel that was opened anew says so at once, and ends every relation of its receiver with its sender: a node
 *       that others declared down meanwhile learns it with the first packet.
 *   L4. After a reconnection, and a while after the last packet, an empty packet shows whether one was lost (L2), be it one
 *       that was empty itself: a node that cannot know whether its session stands drops what it gets.
 *   L6. A packet that arrives twice, or behind a later one, is dropped: its signals have taken effect, or are known to be lost.
 *   L5. Who sent a packet is what its subject says, which a server with permissions enforces.
 *
 * @module
 */
import { type Clock, errorData, type Logger, type NodeAddress, type Signal } from "@coppice/kernel";
import {
  BadFrameError,
  type Message,
  nextNumber,
  openPacket,
  type Packet,
  PacketWriter,
  readSignals,
  type Subjects,
  type Subscription,
  type Transport,
} from "@coppice/net";
import { SignalTooLargeError } from "./errors.ts";

/** A packet is sent at the end of the turn, or as soon as it has this many bytes: longer ones gain nothing. */
export const batchBytesMax = 32 * 1024;
/** The most bytes one packet may have, whatever the signal in it. */
export const signalBytesMax = 8_000_000;
/** After this long without a packet an empty one follows the last, so that its loss is noticed, in milliseconds. */
export const trailAfterMs = 1_000;
/** The number of the first packet of a channel. */
const firstNumber = 1;
/** A packet whose number is behind the last by less than this is a repetition. */
const repeatedMax = 2 ** 31;
/** How many subjects are remembered with the node they name. */
const sendersMax = 4_096;

interface Outgoing {
  readonly address: NodeAddress;
  readonly subject: string;
  packet: PacketWriter;
  sent: number;
  scheduled: boolean;
  /** One for all turns. */
  readonly flush: () => void;
  /** When the last packet was sent, unless that one only trails another. */
  trailsMs: number | undefined;
}

/** The last packet of a life of a node. */
interface Received {
  readonly incarnation: string;
  epoch: number;
  number: number;
}

/** What the node does with what arrives. */
export interface LinkReceiver {
  /** Whether what that life of a node sends counts; if not, its packets are dropped unread. */
  readonly accepts: (from: NodeAddress) => boolean;
  /** A packet arrived from that life of a node. */
  readonly heard: (from: NodeAddress) => void;
  readonly receive: (signal: Signal) => void;
  /** Packets of that node were lost, or it had declared this one down. */
  readonly gap: (from: NodeAddress) => void;
}

export class PeerLinks {
  readonly #self: NodeAddress;
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #subjects: Subjects;
  readonly #receiver: LinkReceiver;
  readonly #logger: Logger;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #received = new Map<string, Received>();
  /** The node that a subject names. */
  readonly #senders = new Map<string, string>();
  #lastSubject = "";
  #lastSender = "";
  #epochs = 0;
  #subscription: Subscription | undefined;
  #stopStatus: (() => void) | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(options: {
    readonly self: NodeAddress;
    readonly clock: Clock;
    readonly transport: Transport;
    readonly subjects: Subjects;
    readonly receiver: LinkReceiver;
    readonly logger: Logger;
  }) {
    this.#self = options.self;
    this.#clock = options.clock;
    this.#transport = options.transport;
    this.#subjects = options.subjects;
    this.#receiver = options.receiver;
    this.#logger = options.logger;
  }

  start(): void {
    const pattern = this.#subjects.nodeAll(this.#self.node);
    this.#subscription = this.#transport.subscribe(pattern, (message) => this.#arrived(message));
    this.#stopStatus = this.#transport.onStatus(({ type }) => {
      if (type === "reconnected") this.#resynchronize();
    });
  }

  stop(): void {
    this.#stopStatus?.();
    this.#stopTimer?.();
    this.#subscription?.unsubscribe();
    for (const outgoing of this.#outgoing.values()) this.#flush(outgoing);
  }

  /** Opens the channel to a node that came up. */
  up({ node, incarnation }: NodeAddress): void {
    if (this.#outgoing.get(node)?.address.incarnation === incarnation) return;
    this.#open({ node, incarnation });
  }

  down({ node, incarnation }: NodeAddress): void {
    if (this.#outgoing.get(node)?.address.incarnation === incarnation) this.#outgoing.delete(node);
    if (this.#received.get(node)?.incarnation === incarnation) this.#received.delete(node);
  }

  /**
   * For the kernel: queues a signal until the end of this turn. False: no such node is up.
   *
   * @throws {SignalTooLargeError} {NotPlainDataError} {ValueTooLargeError} if it cannot cross.
   */
  deliver(signal: Signal): boolean {
    const outgoing = this.#outgoing.get(signal.to.node);
    if (outgoing === undefined || outgoing.address.incarnation !== signal.to.incarnation)
      return false;
    const { packet } = outgoing;
    const before = packet.length;
    packet.add(signal);
    const added = packet.length - before;
    if (added > signalBytesMax) {
      packet.cut(before);
      throw new SignalTooLargeError(added, signalBytesMax);
    }
    if (packet.length >= batchBytesMax) this.#flush(outgoing);
    else if (!outgoing.scheduled) {
      outgoing.scheduled = true;
      // Not a microtask: what the promises of this turn still send belongs into the same packet.
      process.nextTick(outgoing.flush);
    }
    return true;
  }

  #open(address: NodeAddress): void {
    const before = this.#outgoing.get(address.node);
    if (before !== undefined) this.#flush(before);
    this.#epochs += 1;
    const { node, incarnation } = address;
    const outgoing: Outgoing = {
      address,
      subject: this.#subjects.node(node, this.#self.node),
      packet: new PacketWriter({
        epoch: this.#epochs,
        to: incarnation,
        from: this.#self.incarnation,
      }),
      sent: 0,
      scheduled: false,
      flush: () => this.#flush(outgoing),
      trailsMs: undefined,
    };
    this.#outgoing.set(node, outgoing);
    this.#send(outgoing); // L3
  }

  #flush(outgoing: Outgoing): void {
    outgoing.scheduled = false;
    if (outgoing.packet.isEmpty || this.#outgoing.get(outgoing.address.node) !== outgoing) return;
    this.#send(outgoing);
  }

  #send(outgoing: Outgoing): void {
    this.#publish(outgoing);
    this.#trailLater(outgoing);
  }

  #publish(outgoing: Outgoing): void {
    outgoing.sent = nextNumber(outgoing.sent);
    const packet = outgoing.packet.take(outgoing.sent);
    this.#transport.publish(outgoing.subject, packet, { inParts: true });
  }

  /** L4 */
  #trailLater(outgoing: Outgoing): void {
    outgoing.trailsMs = this.#clock.now();
    this.#stopTimer ??= this.#clock.after(trailAfterMs, this.#trail);
  }

  /** Sends what {@link trailAfterMs} promises, and looks again later where it is too early. */
  readonly #trail = (): void => {
    this.#stopTimer = undefined;
    const dueMs = this.#clock.now() - trailAfterMs;
    let again = false;
    for (const outgoing of this.#outgoing.values()) {
      if (outgoing.trailsMs === undefined) continue;
      if (outgoing.trailsMs > dueMs) again = true;
      else {
        outgoing.trailsMs = undefined;
        this.#publish(outgoing);
      }
    }
    if (again) this.#stopTimer = this.#clock.after(trailAfterMs, this.#trail);
  };

  /** This node was cut off: both sides find out whether anything was lost, in either direction. */
  #resynchronize(): void {
    for (const outgoing of this.#outgoing.values()) {
      this.#flush(outgoing);
      outgoing.sent = nextNumber(outgoing.sent);
      this.#transport.publish(outgoing.subject, outgoing.packet.sync(outgoing.sent));
      this.#trailLater(outgoing);
    }
  }

  #arrived({ subject, data }: Message): void {
    const packet = openPacket(data);
    const { header } = packet;
    if (header.to !== this.#self.incarnation) return; // Meant for another life of this node.
    const node = this.#senderOf(subject);
    const from = { node, incarnation: header.from };
    if (!this.#receiver.accepts(from)) return;
    if (this.#isRepeated(from, header.epoch, header.number)) return;
    this.#receiver.heard(from);
    this.#count(from, header.epoch, header.number);
    const answering = this.#outgoing.get(node);
    if (packet.isSync && answering !== undefined) this.#send(answering);
    this.#read(packet, from);
  }

  #read(packet: Packet, from: NodeAddress): void {
    try {
      const nodes = { from: from.node, to: this.#self };
      readSignals(packet, nodes, (signal) => this.#receiver.receive(signal));
    } catch (thrown) {
      if (!(thrown instanceof BadFrameError)) throw thrown;
      this.#logger.error(
        { event: "packet_malformed", node: from.node, error: errorData(thrown) },
        `node ${from.node} sent what cannot be read: ${thrown.message}`,
      );
      this.#lost(from);
    }
  }

  /** L6. Numbers wrap, so what is behind is what is less than half of them away. */
  #isRepeated(from: NodeAddress, epoch: number, number: number): boolean {
    const last = this.#received.get(from.node);
    if (last?.incarnation !== from.incarnation) return false;
    if (epoch !== last.epoch) return epoch < last.epoch;
    return (last.number - number) >>> 0 < repeatedMax;
  }

  #count(from: NodeAddress, epoch: number, number: number): void {
    const last = this.#received.get(from.node);
    if (last?.incarnation !== from.incarnation) {
      this.#received.set(from.node, { incarnation: from.incarnation, epoch, number });
      // Those before it were sent while this node took the other for down, or did not listen yet.
      if (number !== firstNumber) this.#lostBefore(from, { epoch, expected: firstNumber, number });
      return;
    }
    const expected = nextNumber(last.number);
    const isOtherEpoch = last.epoch !== epoch;
    last.epoch = epoch;
    last.number = number;
    if (isOtherEpoch) {
      this.#logger.warn(
        { event: "channel_reopened", node: from.node },
        `node ${from.node} lost messages, or had declared this node down: what depended on it ends with noconnection`,
      );
      // Without its first packets its sender has to learn that they were lost; a new channel of this node tells it.
      if (number === firstNumber) this.#receiver.gap(from); // L3
      else this.#lost(from);
      return;
    }
    if (number !== expected) this.#lostBefore(from, { epoch, expected, number });
  }

  #lostBefore(
    from: NodeAddress,
    fields: { readonly epoch: number; readonly expected: number; readonly number: number },
  ): void {
    this.#logger.warn(
      { event: "messages_lost", node: from.node, ...fields },
      `messages of node ${from.node} were lost: what depended on them ends with noconnection`,
    );
    this.#lost(from);
  }

  /** L2 */
  #lost(from: NodeAddress): void {
    this.#receiver.gap(from);
    if (this.#outgoing.get(from.node)?.address.incarnation === from.incarnation) this.#open(from);
  }

  #senderOf(subject: string): string {
    if (subject !== this.#lastSubject) {
      this.#lastSender = this.#lookUpSender(subject);
      this.#lastSubject = subject;
    }
    return this.#lastSender;
  }

  #lookUpSender(subject: string): string {
    const known = this.#senders.get(subject);
    if (known !== undefined) return known;
    const node = this.#subjects.senderOf(subject);
    if (node === undefined) throw new BadFrameError(`no node is named by the subject ${subject}`);
    if (this.#senders.size >= sendersMax) this.#senders.clear();
    this.#senders.set(subject, node);
    return node;
  }
}
