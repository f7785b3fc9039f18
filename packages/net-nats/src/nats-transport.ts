/**
 * A transport on one NATS connection.
 *
 * @module
 */
import {
  type Message,
  NoRespondersError,
  RequestTimeoutError,
  type Subscription,
  type Transport,
  TransportClosedError,
  type TransportStatus,
} from "@coppice/net";
import { errors, type Msg, type NatsConnection } from "@nats-io/transport-node";

export class NatsTransport implements Transport {
  readonly #connection: NatsConnection;
  readonly #observers = new Set<(status: TransportStatus) => void>();
  #connected = true;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    void this.#watch();
  }

  get connected(): boolean {
    return this.#connected;
  }

  publish(subject: string, data: Uint8Array, options: { readonly reply?: string } = {}): void {
    if (this.#connected) this.#connection.publish(subject, data, options);
  }

  subscribe(
    pattern: string,
    onMessage: (message: Message) => void,
    options: { readonly queue?: string } = {},
  ): Subscription {
    if (this.#connection.isClosed()) return { unsubscribe: () => {} };
    const callback = (error: Error | null, message: Msg): void => {
      if (error !== null) return this.#tell({ type: "error", error });
      // A throw in a callback of this client closes its connection for good.
      try {
        onMessage(received(message));
      } catch (thrown) {
        this.#tell({ type: "error", error: asError(thrown) });
      }
    };
    const subscription = this.#connection.subscribe(pattern, { ...options, callback });
    return { unsubscribe: () => subscription.unsubscribe() };
  }

  async request(
    subject: string,
    data: Uint8Array,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<Message> {
    try {
      const reply = await this.#connection.request(subject, data, { timeout: timeoutMs });
      return received(reply);
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

  flush(): Promise<void> {
    return this.#connection.flush();
  }

  onStatus(observer: (status: TransportStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  async close(): Promise<void> {
    if (this.#connection.isClosed()) return;
    // Draining waits for the server: without one, just close.
    if (this.#connected) await this.#connection.drain();
    else await this.#connection.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") this.#setConnected(false);
      if (status.type === "reconnect") this.#setConnected(true);
      if (status.type === "error") this.#tell({ type: "error", error: status.error });
      if (status.type === "slowConsumer") {
        const error = new Error(`slow consumer: ${status.pending} messages wait`);
        this.#tell({ type: "error", error });
      }
    }
    const error = await this.#connection.closed();
    this.#connected = false;
    this.#tell(error instanceof Error ? { type: "closed", error } : { type: "closed" });
  }

  #setConnected(connected: boolean): void {
    this.#connected = connected;
    this.#tell({ type: connected ? "reconnected" : "disconnected" });
  }

  #tell(status: TransportStatus): void {
    for (const observer of this.#observers) observer(status);
  }
}

function received({ subject, data, reply }: Msg): Message {
  return reply === undefined || reply === "" ? { subject, data } : { subject, data, reply };
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
