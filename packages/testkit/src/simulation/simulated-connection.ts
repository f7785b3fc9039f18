/**
 * A connection of one life of a simulated machine to the network: a transport whose loss is noticed late, as a real one's.
 *
 * A cut of the link is silent. After a while without an answer the client gives the connection up and says `disconnected`;
 * when the link is whole again it says `reconnected`. In between the network may know that the old connection is gone.
 *
 * @module
 */
import type { Random } from "@coppice/kernel";
import {
  type Message,
  NoRespondersError,
  partedBytesMax,
  PayloadTooLargeError,
  type PublishOptions,
  RequestTimeoutError,
  type Subscription,
  type Transport,
  TransportClosedError,
  type TransportStatus,
} from "@coppice/net";
import type { SimulatedHost } from "./simulated-host.ts";
import { LinkDirection, type SimulatedLink } from "./simulated-link.ts";
import type { Interest, SimulatedNetwork, Subscriber } from "./simulated-network.ts";
import type { SimulatedTime } from "./simulated-time.ts";

/** As NATS's default, in bytes. */
const payloadBytesMax = 1 << 20;
/** How long a silent connection lasts before its client gives it up, and a new one takes, in milliseconds. */
const staleMs = [1_100, 2_200] as const;
const reconnectMs = [20, 500] as const;

interface Request {
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

export class SimulatedConnection implements Transport, Subscriber {
  /** Faults of the way between two machines are those of a group of servers. */
  readonly hasOneServer = false;
  readonly payloadBytesMax = payloadBytesMax;
  readonly in: LinkDirection;
  readonly out: LinkDirection;
  readonly #host: SimulatedHost;
  readonly #time: SimulatedTime;
  readonly #random: Random;
  readonly #link: SimulatedLink;
  readonly #network: SimulatedNetwork;
  readonly #inboxes: string;
  readonly #interests = new Set<Interest>();
  readonly #observers = new Set<(status: TransportStatus) => void>();
  readonly #requests = new Map<string, Request>();
  readonly #stopLink: () => void;
  #requestCount = 0;
  #state: "connected" | "disconnected" | "closed" = "connected";
  #isKnown = true;
  /** Counts changes of the link: what was planned before the last one is not done. */
  #turn = 0;

  constructor(options: {
    readonly host: SimulatedHost;
    readonly time: SimulatedTime;
    readonly random: Random;
    readonly link: SimulatedLink;
    readonly network: SimulatedNetwork;
  }) {
    const { host, time, random, link, network } = options;
    this.#host = host;
    this.#time = time;
    this.#random = random;
    this.#link = link;
    this.#network = network;
    const isOpen = (): boolean => this.#isKnown && this.#state === "connected";
    this.out = new LinkDirection({ time, random, isOpen, faults: () => link.out });
    this.in = new LinkDirection({ time, random, isOpen, faults: () => link.in, gate: host });
    this.#inboxes = network.join(this);
    this.#stopLink = link.onChange(() => this.#linkChanged());
  }

  get machine(): string {
    return this.#host.name;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  get connected(): boolean {
    return this.#state === "connected";
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): void {
    const { inParts = false, reply } = options;
    assertSize(data, inParts ? partedBytesMax : payloadBytesMax);
    if (!this.connected || !this.#host.isAlive) return;
    const message = reply === undefined ? { subject, data } : { subject, data, reply };
    this.out.pass(() => void this.#network.route(message, this.machine));
  }

  subscribe(
    pattern: string,
    onMessage: (message: Message) => unknown,
    options: { readonly queue?: string } = {},
  ): Subscription {
    const interest: Interest = { owner: this, pattern, onMessage, queue: options.queue };
    if (this.#state !== "closed") {
      this.#network.add(interest);
      this.#interests.add(interest);
    }
    const unsubscribe = (): void => {
      this.#network.remove(interest);
      this.#interests.delete(interest);
    };
    return { unsubscribe };
  }

  async request(
    subject: string,
    data: Uint8Array,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<Message> {
    assertSize(data, payloadBytesMax);
    if (this.#state === "closed") throw new TransportClosedError();
    this.#requestCount += 1;
    const reply = `${this.#inboxes}${this.#requestCount}`;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    this.#requests.set(reply, { resolve, reject });
    const stopTimer = this.#host.clock.after(timeoutMs, () =>
      reject(new RequestTimeoutError(subject, timeoutMs)),
    );
    if (this.connected)
      this.out.pass(() => {
        const count = this.#network.route({ subject, data, reply }, this.machine);
        if (count === 0) this.in.pass(() => reject(new NoRespondersError(subject)));
      });
    try {
      return await promise;
    } finally {
      stopTimer();
      this.#requests.delete(reply);
    }
  }

  flush(): Promise<void> {
    if (this.#state === "closed") return Promise.reject(new TransportClosedError());
    return new Promise((resolve) => {
      this.out.passSurely(() => this.in.passSurely(resolve));
    });
  }

  onStatus(observer: (status: TransportStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.end();
    for (const { reject } of this.#requests.values()) reject(new TransportClosedError());
    this.#tell({ type: "closed" });
  }

  /** The machine was killed: its system closes the connection, and nobody there is told. */
  end(): void {
    this.#state = "closed";
    this.#isKnown = false;
    this.#turn += 1;
    this.#stopLink();
    for (const interest of this.#interests) this.#network.remove(interest);
    this.#interests.clear();
  }

  /**
   * The connection breaks, which the network knows at once and the client after `noticeMs`. It is there again `downMs` later,
   * both in milliseconds.
   */
  reset(downMs: number, noticeMs = 0): void {
    if (this.#state !== "connected") return;
    this.#turn += 1;
    this.#isKnown = false;
    this.#later(noticeMs, () => this.#giveUp());
    this.#later(noticeMs + Math.max(1, downMs), () => this.#reconnect());
  }

  /** For the network. */
  arrive(interest: Interest, message: Message): void {
    this.in.pass(() => {
      if (this.connected && this.#interests.has(interest)) this.#receive(interest, message);
    });
  }

  /** For the network. */
  answer(message: Message): void {
    this.in.pass(() => this.#requests.get(message.subject)?.resolve(message));
  }

  #linkChanged(): void {
    this.#turn += 1;
    if (this.#link.isCut) this.#later(this.#between(staleMs), () => this.#giveUp());
    else if (this.#state === "disconnected" || !this.#isKnown) {
      this.#isKnown = false; // The old connection is seen to be gone; the new one is not there yet.
      this.#later(this.#between(reconnectMs), () => this.#reconnect());
    } else this.#goOn();
  }

  /** Unless the link changes first. Waits while the machine is frozen. */
  #later(ms: number, run: () => void): void {
    const turn = this.#turn;
    this.#time.at(this.#time.nowMs + ms, () => turn === this.#turn && run(), this.#host);
  }

  #giveUp(): void {
    if (this.#state !== "connected") return;
    this.#state = "disconnected";
    if (!this.#link.out.cut) this.#isKnown = false; // The network hears that it was closed.
    this.#tell({ type: "disconnected" });
  }

  #reconnect(): void {
    if (this.#state === "closed" || this.#link.isCut) return;
    this.#giveUp(); // No client has a new connection without having seen the old one go.
    this.#state = "connected";
    this.#isKnown = true;
    this.#tell({ type: "reconnected" });
    this.#goOn();
  }

  #goOn(): void {
    this.out.goOn();
    this.in.goOn();
  }

  #receive({ onMessage }: Interest, message: Message): void {
    const report = (thrown: unknown): void => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#tell({ type: "error", error });
    };
    try {
      const pending = onMessage(message);
      if (pending instanceof Promise) pending.catch(report);
    } catch (thrown) {
      report(thrown);
    }
  }

  #between([min, max]: readonly [number, number]): number {
    return min + (this.#random.u32() / 2 ** 32) * (max - min);
  }

  #tell(status: TransportStatus): void {
    for (const observer of this.#observers) observer(status);
  }
}

function assertSize(data: Uint8Array, bytesMax: number): void {
  if (data.length > bytesMax) throw new PayloadTooLargeError(data.length, bytesMax);
}
