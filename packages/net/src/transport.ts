/**
 * The messaging seam: what the cluster asks of a network, with the semantics of core NATS.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** One message as it arrived. */
export interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Where an answer is expected. */
  readonly reply?: string | undefined;
}

/** A live interest in a subject pattern. */
export interface Subscription {
  readonly unsubscribe: () => void;
}

/** What happens to the connection. */
export type TransportStatus =
  | { readonly type: "disconnected" }
  | { readonly type: "reconnected" }
  /** For good: no reconnection follows. */
  | { readonly type: "closed"; readonly error?: Error }
  /** The connection goes on: a denied permission, a slow consumer, a subscriber's callback that threw. */
  | { readonly type: "error"; readonly error: Error };

/** How a message is sent. */
export interface PublishOptions {
  /** Where an answer is expected. */
  readonly reply?: string;
  /** Default: false. */
  readonly inParts?: boolean;
}

/** The most bytes a message may have that is sent in parts: 16 MiB. */
export const partedBytesMax = 16 << 20;

/**
 * A connection to the network. Delivery is at most once; messages of one publisher on one connection arrive in order
 * at each subscriber.
 */
export interface Transport {
  readonly connected: boolean;
  /**
   * Whether one server carries everything. Then whatever was published before a {@link NoRespondersError} was found, by anybody,
   * arrives before it; with several, messages may be lost between two of them and on no other way.
   */
  readonly hasOneServer: boolean;
  /** The most bytes one message may have. */
  readonly payloadBytesMax: number;
  /**
   * Sends. While disconnected the message is lost without a word. The bytes belong to the transport from then on.
   *
   * `inParts`: a message that is larger than {@link payloadBytesMax}, up to {@link partedBytesMax}, is sent in parts and
   * put together again at each plain subscriber of a Coppice node, in its place among the others. A subscriber in a
   * queue, or another program, cannot receive it.
   *
   * @throws {PayloadTooLargeError}
   */
  publish(subject: string, data: Uint8Array, options?: PublishOptions): void;
  /**
   * Receives what matches: `*` is one token, a last `>` one or more. Members of one `queue` share the messages. What
   * `onMessage` throws, or its promise rejects with, is reported as a status of type `error` and breaks nothing. The
   * next message does not wait for a promise.
   */
  subscribe(
    pattern: string,
    onMessage: (message: Message) => unknown,
    options?: { readonly queue?: string },
  ): Subscription;
  /**
   * Publishes and waits for the first answer.
   *
   * @throws {PayloadTooLargeError}
   * @throws {NoRespondersError} at once when nobody is subscribed.
   * @throws {RequestTimeoutError} after `timeoutMs` milliseconds.
   * @throws {TransportClosedError} when the connection is closed.
   */
  request(
    subject: string,
    data: Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<Message>;
  /**
   * Resolves when everything published before has reached the server, or was lost with a connection that has been
   * replaced.
   *
   * @throws {TransportClosedError} if the connection is closed for good first.
   */
  flush(): Promise<void>;
  /** Calls `observer` on every change. Returns what stops it. */
  onStatus(observer: (status: TransportStatus) => void): () => void;
  /** Sends what is buffered, then closes for good. */
  close(): Promise<void>;
}

/** Nobody is subscribed to the subject of a request: it certainly was not handled. */
export class NoRespondersError extends CoppiceError {
  static {
    this.prototype.name = "NoRespondersError";
  }
  readonly code = "no_responders";
  readonly subject: string;

  constructor(subject: string, options?: ErrorOptions) {
    super(`nobody answers on ${subject}`, options);
    this.subject = subject;
  }
}

/** No answer came in time; the request may still be handled. */
export class RequestTimeoutError extends CoppiceError {
  static {
    this.prototype.name = "RequestTimeoutError";
  }
  readonly code = "request_timeout";
  readonly subject: string;
  readonly timeoutMs: number;

  constructor(subject: string, timeoutMs: number, options?: ErrorOptions) {
    super(`no answer on ${subject} within ${timeoutMs} ms`, options);
    this.subject = subject;
    this.timeoutMs = timeoutMs;
  }
}

/** The connection was closed. */
export class TransportClosedError extends CoppiceError {
  static {
    this.prototype.name = "TransportClosedError";
  }
  readonly code = "transport_closed";

  constructor(options?: ErrorOptions) {
    super("the connection to the network is closed", options);
  }
}

/** A message has more bytes than the network carries. */
export class PayloadTooLargeError extends CoppiceError {
  static {
    this.prototype.name = "PayloadTooLargeError";
  }
  readonly code = "payload_too_large";
  readonly bytes: number;
  readonly bytesMax: number;

  constructor(bytes: number, bytesMax: number, options?: ErrorOptions) {
    super(`a message of ${bytes} bytes cannot be sent: the network carries ${bytesMax}`, options);
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}
