/**
 * The pulse of a node: twice a second it says, in one message to all, which message and which write was its last.
 *
 * What was lost with nothing after it to show the gap is noticed here. A node that may have missed pulses asks the others to
 * say everything again. It asks with a pulse, which is heard whatever is thought of the session of who asks.
 *
 * @module
 */
import type { Clock, NodeAddress } from "@coppice/kernel";
import {
  BadFrameError,
  decodeChecked,
  encodeChecked,
  type Subscription,
  type Transport,
} from "@coppice/net";
import type { Row } from "./replica-state.ts";
import { rowsOf } from "./replicated-tables.ts";
import type { ServiceSubjects } from "./service-subjects.ts";
import type { StreamEnd } from "./topic-sequence-state.ts";

/** In milliseconds. */
const pulseEveryMs = 500;
/** How soon a pulse follows that asks for something, in milliseconds: others may be asked with it. */
const askAfterMs = 100;
/** The most topics in one message. */
const topicsPerPulseMax = 500;

/** What a pulse is made of, and who wants those of others. */
export interface PulseServices {
  readonly versions: () => readonly Row<number>[];
  readonly streamEnds: () => readonly StreamEnd[];
  /** A node asks for it: the next pulse has the ends of all streams. */
  readonly sayEndsAgain: () => void;
  readonly heardVersions: (from: NodeAddress, versions: readonly Row<unknown>[]) => void;
  readonly heardStreamEnds: (from: NodeAddress, ends: readonly StreamEnd[]) => void;
}

export class Pulse {
  readonly #self: NodeAddress;
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #subjects: ServiceSubjects;
  readonly #services: PulseServices;
  #subscription: Subscription | undefined;
  #stopTimer: (() => void) | undefined;
  #dueMs = 0;
  /** Whom the next pulse asks. */
  #asks: Set<string> | "everyone" = new Set();

  constructor(options: {
    readonly self: NodeAddress;
    readonly clock: Clock;
    readonly transport: Transport;
    readonly subjects: ServiceSubjects;
    readonly services: PulseServices;
  }) {
    this.#self = options.self;
    this.#clock = options.clock;
    this.#transport = options.transport;
    this.#subjects = options.subjects;
    this.#services = options.services;
  }

  start(): void {
    const { pulseAll } = this.#subjects;
    this.#subscription = this.#transport.subscribe(pulseAll, ({ data }) => this.#received(data));
    this.#beatAfter(pulseEveryMs);
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#subscription?.unsubscribe();
  }

  /** Pulses of that node may have been lost: it is asked to say the ends of all its streams in its next. */
  ask(node: string): void {
    if (this.#asks !== "everyone") this.#asks.add(node);
    this.#beatSoon();
  }

  /** As {@link ask}, of every node. */
  askEveryone(): void {
    this.#asks = "everyone";
    this.#beatSoon();
  }

  #beatSoon(): void {
    if (this.#stopTimer === undefined || this.#dueMs <= this.#clock.now() + askAfterMs) return;
    this.#stopTimer();
    this.#beatAfter(askAfterMs);
  }

  #beatAfter(ms: number): void {
    this.#dueMs = this.#clock.now() + ms;
    this.#stopTimer = this.#clock.after(ms, this.#beat);
  }

  readonly #beat = (): void => {
    this.#beatAfter(pulseEveryMs);
    if (!this.#transport.connected) return; // Said when somebody can hear it.
    const { node, incarnation } = this.#self;
    const asks = this.#asks === "everyone" ? true : [...this.#asks];
    this.#asks = new Set();
    const ends = this.#services.streamEnds();
    const versions = this.#services.versions();
    const subject = this.#subjects.pulse(node);
    for (let at = 0; at === 0 || at < ends.length; at += topicsPerPulseMax) {
      const some = ends.slice(at, at + topicsPerPulseMax);
      const topics = some.map(({ topic, stream, last }) => [topic, stream, last]);
      const pulse = [node, incarnation, versions, topics, at === 0 ? asks : []];
      this.#transport.publish(subject, encodeChecked(pulse));
    }
  };

  #received(data: Uint8Array): void {
    const value = decodeChecked(data);
    const [node, incarnation, versions, topics, asks] = Array.isArray(value)
      ? (value as unknown[])
      : [];
    if (typeof node !== "string" || typeof incarnation !== "string" || !Array.isArray(topics))
      throw new BadFrameError("a pulse is malformed");
    if (node === this.#self.node) return;
    if (asks === true || (Array.isArray(asks) && asks.includes(this.#self.node)))
      this.#services.sayEndsAgain();
    const from = { node, incarnation };
    this.#services.heardVersions(from, rowsOf(versions));
    this.#services.heardStreamEnds(from, (topics as unknown[]).map(streamEnd));
  }
}

function streamEnd(value: unknown): StreamEnd {
  const [topic, stream, last] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof topic !== "string" || typeof stream !== "number" || typeof last !== "number")
    throw new BadFrameError("a pulse is malformed");
  return { topic, stream, last };
}
