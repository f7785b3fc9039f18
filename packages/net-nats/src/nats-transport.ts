/**
 * A transport on one NATS connection.
 *
 * Invariants:
 *   T1. Nothing that a subscriber throws reaches the client: a throw in its callback stops the whole connection.
 *   T2. What the server forbids is never passed over: on a subject that a node needs it closes the connection.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";
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
import { errors, headers, type Msg, type NatsConnection, nuid } from "@nats-io/transport-node";
import { NatsDeniedError, NatsPermissionError } from "./errors.ts";
import { cut, partHeader, Parts } from "./parts-protocol.ts";

/** Subjects that belong to a cluster and its store: without one of them a node cannot work. */
const needed = /^(?:coppice|\$KV|\$JS|\$O|_INBOX)\./;

export class NatsTransport implements Transport {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #servers: readonly string[];
  readonly #observers = new Set<(status: TransportStatus) => void>();
  readonly #parts = new Parts();
  readonly #partsPrefix = nuid.next();
  #partedMessages = 0;
  #subscriptions = 0;
  #connected = true;
  #failure: Error | undefined;

  constructor(connection: NatsConnection, clock: Clock, servers: readonly string[]) {
    this.#connection = connection;
    this.#clock = clock;
    this.#servers = servers;
    void this.#watch();
  }

  get hasOneServer(): boolean {
    return this.#connection.info?.cluster === undefined;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get payloadBytesMax(): number {
    return this.#connection.info?.max_payload ?? 1 << 20;
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): void {
    const { inParts = false, reply } = options;
    const { payloadBytesMax } = this;
    if (data.length > (inParts ? partedBytesMax : payloadBytesMax))
      throw new PayloadTooLargeError(data.length, inParts ? partedBytesMax : payloadBytesMax);
    if (!this.#connected || this.#connection.isDraining()) return;
    if (data.length > payloadBytesMax) this.#publishParts(subject, cut(data, payloadBytesMax));
    else if (reply === undefined) this.#connection.publish(subject, data);
    else this.#connection.publish(subject, data, { reply });
  }

  subscribe(
    pattern: string,
    onMessage: (message: Message) => unknown,
    options: { readonly queue?: string } = {},
  ): Subscription {
    if (this.#connection.isClosed()) return { unsubscribe: () => {} };
    this.#subscriptions += 1;
    const id = String(this.#subscriptions);
    const callback = (error: Error | null, message: Msg): void => {
      // An error is a denied permission: the connection's status says it too.
      if (error === null) this.#deliver(id, message, onMessage);
    };
    const subscription = this.#connection.subscribe(pattern, { ...options, callback });
    return { unsubscribe: () => subscription.unsubscribe() };
  }

  async request(
    subject: string,
    data: Uint8Array,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<Message> {
    if (data.length > this.payloadBytesMax)
      throw new PayloadTooLargeError(data.length, this.payloadBytesMax);
    try {
      const reply = await this.#connection.request(subject, data, { timeout: timeoutMs });
      return new Received(reply);
    } catch (thrown) {
      const cause = asError(thrown);
      if (isCausedBy(cause, errors.NoRespondersError))
        throw new NoRespondersError(subject, { cause });
      if (isCausedBy(cause, errors.TimeoutError))
        throw new RequestTimeoutError(subject, timeoutMs, { cause });
      if (isCausedBy(cause, errors.ClosedConnectionError, errors.DrainingConnectionError))
        throw new TransportClosedError({ cause });
      throw cause;
    }
  }

  async flush(): Promise<void> {
    while (true) {
      try {
        return await this.#connection.flush();
      } catch (cause) {
        if (this.#connection.isClosed()) throw new TransportClosedError({ cause });
        await this.#untilConnected();
      }
    }
  }

  /** Until the connection is there again, or closed for good. */
  async #untilConnected(): Promise<void> {
    if (this.#connected || this.#connection.isClosed()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.onStatus(({ type }) => {
      if (type === "reconnected" || type === "closed") resolve();
    });
    await promise;
    stop();
  }

  onStatus(observer: (status: TransportStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  async close(): Promise<void> {
    if (this.#connection.isClosed()) return;
    // Draining waits for the server: without one, or when it goes meanwhile, there is nobody to send to.
    if (this.#connected) await this.#connection.drain().catch(() => this.#connection.close());
    else await this.#connection.close();
  }

  /** The servers are of no use any more: closes the connection, and says why to whoever watches its status. */
  fail(error: Error): void {
    this.#failure ??= error;
    void this.#connection.close();
  }

  /** Something failed that has nobody to throw to. */
  report(thrown: unknown): void {
    this.#tell({ type: "error", error: asError(thrown) });
  }

  /** T1 */
  #deliver(subscription: string, part: Msg, onMessage: (message: Message) => unknown): void {
    try {
      const message = this.#whole(subscription, part);
      if (message === undefined) return;
      const pending = onMessage(message);
      if (pending instanceof Promise) pending.catch((thrown: unknown) => this.report(thrown));
    } catch (thrown) {
      this.report(thrown);
    }
  }

  #publishParts(subject: string, parts: readonly Uint8Array[]): void {
    this.#partedMessages += 1;
    for (const [index, part] of parts.entries()) {
      const header = headers();
      header.set(
        partHeader,
        `${this.#partsPrefix}.${this.#partedMessages} ${index} ${parts.length}`,
      );
      this.#connection.publish(subject, part, { headers: header });
    }
  }

  /** The message; undefined while parts of it are missing. */
  #whole(subscription: string, message: Msg): Message | undefined {
    const header = message.headers?.get(partHeader) ?? "";
    if (header === "") return new Received(message);
    const data = this.#parts.add(subscription, header, message.data, this.#clock.now());
    return data === undefined ? undefined : { subject: message.subject, data };
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") this.#setConnected(false);
      if (status.type === "reconnect") this.#setConnected(true);
      if (status.type === "error") this.#failed(status.error);
    }
    const closedBy = await this.#connection.closed();
    this.#connected = false;
    const error = this.#failure ?? this.#why(closedBy);
    this.#tell(error === undefined ? { type: "closed" } : { type: "closed", error });
  }

  #failed(error: Error): void {
    if (!(error instanceof errors.PermissionViolationError))
      return this.#tell({ type: "error", error });
    const { operation, subject } = error;
    const denied = new NatsPermissionError(operation, subject, { cause: error });
    this.#tell({ type: "error", error: denied });
    // An answer to a subject that a client chose is not this node's fault.
    if (!needed.test(subject) || (operation === "publish" && subject.startsWith("_INBOX."))) return;
    this.fail(denied); // T2
  }

  /** Why the client gave up for good. */
  #why(closedBy: unknown): Error | undefined {
    if (!(closedBy instanceof Error)) return undefined;
    return isCausedBy(closedBy, errors.AuthorizationError, errors.UserAuthenticationExpiredError)
      ? new NatsDeniedError(this.#servers, { cause: closedBy })
      : closedBy;
  }

  #setConnected(connected: boolean): void {
    this.#connected = connected;
    this.#tell({ type: connected ? "reconnected" : "disconnected" });
  }

  #tell(status: TransportStatus): void {
    for (const observer of this.#observers)
      try {
        observer(status);
      } catch (thrown) {
        // A fault of the program, to be seen; but not in the client's callback (T1).
        queueMicrotask(() => {
          throw thrown;
        });
      }
  }
}

/** A message whose parts are decoded when somebody asks for them. */
class Received implements Message {
  readonly #message: Msg;

  constructor(message: Msg) {
    this.#message = message;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get data(): Uint8Array {
    return this.#message.data;
  }

  get reply(): string | undefined {
    const { reply } = this.#message;
    return reply === "" ? undefined : reply;
  }
}

/** Whether the error, or what caused it, is of one of the kinds: the client wraps one in another. */
export function isCausedBy(
  error: unknown,
  ...kinds: readonly (abstract new (...args: never[]) => Error)[]
): boolean {
  for (let each: unknown = error; each instanceof Error; each = each.cause)
    if (kinds.some((kind) => each instanceof kind)) return true;
  return false;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
