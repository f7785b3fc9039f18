/**
 * The pulse of a node: twice a second it says, in one message to all, which message and which write was its last.
 *
 * What was lost with nothing after it to show the gap is noticed here.
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
/** The most topics in one message. */
const topicsPerPulseMax = 500;

/** What a pulse is made of, and who wants those of others. */
export interface PulseServices {
  readonly versions: () => readonly Row<number>[];
  readonly streamEnds: () => readonly StreamEnd[];
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
    this.#stopTimer = this.#clock.after(pulseEveryMs, this.#beat);
  }

  stop(): void {
    this.#stopTimer?.();
    this.#subscription?.unsubscribe();
  }

  readonly #beat = (): void => {
    this.#stopTimer = this.#clock.after(pulseEveryMs, this.#beat);
    if (!this.#transport.connected) return; // Said when somebody can hear it.
    const { node, incarnation } = this.#self;
    const ends = this.#services.streamEnds();
    const versions = this.#services.versions();
    const subject = this.#subjects.pulse(node);
    for (let at = 0; at === 0 || at < ends.length; at += topicsPerPulseMax) {
      const some = ends.slice(at, at + topicsPerPulseMax);
      const topics = some.map(({ topic, stream, last }) => [topic, stream, last]);
      this.#transport.publish(subject, encodeChecked([node, incarnation, versions, topics]));
    }
  };

  #received(data: Uint8Array): void {
    const value = decodeChecked(data);
    const [node, incarnation, versions, topics] = Array.isArray(value) ? (value as unknown[]) : [];
    if (typeof node !== "string" || typeof incarnation !== "string" || !Array.isArray(topics))
      throw new BadFrameError("a pulse is malformed");
    if (node === this.#self.node) return;
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
