/**
 * A network within one thread: the embedded default for one node, and what many nodes share in a test.
 *
 * Deliveries run as tasks of the clock, so that a simulated clock decides when; bytes are copied, as a real wire would.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";
import { SubjectIndex } from "./subject-index.ts";
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
} from "./transport.ts";

interface Interest {
  readonly owner: MemoryTransport;
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly onMessage: (message: Message) => unknown;
}

const payloadBytesMaxDefault = 1 << 20;

/** One shared bus. */
export class MemoryNetwork {
  readonly clock: Clock;
  readonly #interests = new Set<Interest>();
  readonly #index = new SubjectIndex<Interest>();
  /** Which member of each queue group is next. */
  readonly #turns = new Map<string, number>();
  readonly payloadBytesMax: number;

  /** `payloadBytesMax`: the most bytes of one message. Default: 1 MiB, as NATS. */
  constructor(options: { readonly clock: Clock; readonly payloadBytesMax?: number }) {
    this.clock = options.clock;
    this.payloadBytesMax = options.payloadBytesMax ?? payloadBytesMaxDefault;
  }

  /** A new connection to the bus. */
  connect(): Transport & { readonly disconnect: () => void; readonly reconnect: () => void } {
    return new MemoryTransport(this);
  }

  add(interest: Interest): void {
    this.#interests.add(interest);
    this.#index.add(interest.pattern, interest);
  }

  remove(interest: Interest): void {
    this.#interests.delete(interest);
    this.#index.remove(interest.pattern, interest);
  }

  /** Delivers to every plain subscriber, and to one member of each queue group. Returns how many will get it. */
  route(message: Message): number {
    const receivers: Interest[] = [];
    const groups = new Map<string, Interest[]>();
    for (const interest of this.#index.matching(message.subject)) {
      if (!interest.owner.connected) continue;
      if (interest.queue === undefined) receivers.push(interest);
      else {
        const key = `${interest.pattern} ${interest.queue}`;
        groups.set(key, [...(groups.get(key) ?? []), interest]);
      }
    }
    for (const [key, members] of groups) {
      const turn = this.#turns.get(key) ?? 0;
      this.#turns.set(key, turn + 1);
      receivers.push(members[turn % members.length]!);
    }
    for (const interest of receivers) {
      const copy = { ...message, data: message.data.slice() };
      this.clock.soon(() => {
        if (this.#interests.has(interest) && interest.owner.connected)
          interest.owner.receive(() => interest.onMessage(copy));
      });
    }
    return receivers.length;
  }
}

let inboxes = 0;

class MemoryTransport implements Transport {
  readonly hasOneServer = true;
  readonly #network: MemoryNetwork;
  readonly #own = new Set<Interest>();
  readonly #observers = new Set<(status: TransportStatus) => void>();
  readonly #waiting = new Set<(error: Error) => void>();
  #state: "connected" | "disconnected" | "closed" = "connected";

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  get connected(): boolean {
    return this.#state === "connected";
  }

  get payloadBytesMax(): number {
    return this.#network.payloadBytesMax;
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): void {
    const { inParts = false, ...rest } = options;
    this.#assertSize(data, inParts ? partedBytesMax : this.payloadBytesMax);
    if (this.connected) this.#network.route({ subject, data: data.slice(), ...rest });
  }

  #assertSize(data: Uint8Array, bytesMax: number): void {
    if (data.length > bytesMax) throw new PayloadTooLargeError(data.length, bytesMax);
  }

  subscribe(
    pattern: string,
    onMessage: (message: Message) => unknown,
    options: { readonly queue?: string } = {},
  ): Subscription {
    const interest: Interest = { owner: this, pattern, onMessage, queue: options.queue };
    if (this.#state !== "closed") {
      this.#network.add(interest);
      this.#own.add(interest);
    }
    const unsubscribe = (): void => {
      this.#network.remove(interest);
      this.#own.delete(interest);
    };
    return { unsubscribe };
  }

  async request(
    subject: string,
    data: Uint8Array,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<Message> {
    this.#assertSize(data, this.payloadBytesMax);
    if (this.#state === "closed") throw new TransportClosedError();
    inboxes += 1;
    const reply = `_INBOX.${inboxes}`;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const inbox = this.subscribe(reply, resolve);
    this.#waiting.add(reject);
    const stopTimer = this.#network.clock.after(timeoutMs, () =>
      reject(new RequestTimeoutError(subject, timeoutMs)),
    );
    try {
      if (this.connected && this.#network.route({ subject, data: data.slice(), reply }) === 0)
        throw new NoRespondersError(subject);
      return await promise;
    } finally {
      stopTimer();
      inbox.unsubscribe();
      this.#waiting.delete(reject);
    }
  }

  /** Resolves after everything published before has been delivered. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#network.clock.soon(resolve);
    });
  }

  onStatus(observer: (status: TransportStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    await this.flush();
    this.#state = "closed";
    for (const interest of this.#own) this.#network.remove(interest);
    this.#own.clear();
    for (const reject of this.#waiting) reject(new TransportClosedError());
    this.#tell({ type: "closed" });
  }

  /** As if the cable were pulled: nothing arrives or leaves until {@link reconnect}. */
  disconnect(): void {
    if (this.#state !== "connected") return;
    this.#state = "disconnected";
    this.#tell({ type: "disconnected" });
  }

  reconnect(): void {
    if (this.#state !== "disconnected") return;
    this.#state = "connected";
    this.#tell({ type: "reconnected" });
  }

  /** Runs a subscriber's callback. */
  receive(deliver: () => unknown): void {
    const report = (thrown: unknown): void => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#tell({ type: "error", error });
    };
    try {
      const pending = deliver();
      if (pending instanceof Promise) pending.catch(report);
    } catch (thrown) {
      report(thrown);
    }
  }

  #tell(status: TransportStatus): void {
    for (const observer of this.#observers) observer(status);
  }
}
