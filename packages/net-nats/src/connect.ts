/**
 * Connecting to NATS.
 *
 * @module
 */
import type { Store, Transport } from "@coppice/net";
import { jetstream } from "@nats-io/jetstream";
import { connect, errors, type NatsConnection } from "@nats-io/transport-node";
import { JetStreamDisabledError, NatsDeniedError, NatsUnreachableError } from "./errors.ts";
import { openKvStore } from "./kv-store.ts";
import { isCausedBy, NatsTransport } from "./nats-transport.ts";

/** Where and as whom to connect. */
export interface ConnectOptions {
  /** `nats://host:port`, any of a cluster. */
  readonly servers: readonly string[];
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** How long to try, in milliseconds. Default: 2_000. */
  readonly timeoutMs?: number;
}

/** A connection. */
export interface NatsNetwork {
  readonly transport: Transport;
  readonly serverVersion: string;
  /** Opens a bucket. @throws {JetStreamDisabledError} */
  readonly openStore: (bucket: string) => Promise<Store>;
  /** Sends what is buffered and closes. */
  readonly close: () => Promise<void>;
}

/** How long to try to connect, in milliseconds. */
export const connectTimeoutMsDefault = 2_000;
/** A lost server is noticed after two pings without an answer: 2 to 3 s. */
const pingIntervalMs = 1_000;
const pingsOutMax = 2;
const reconnectWaitMs = 50;
const storeTimeoutMs = 2_000;

/**
 * @throws {NatsUnreachableError} if no server answers in time.
 * @throws {NatsDeniedError} if it refuses the credentials.
 */
export async function connectNats(options: ConnectOptions): Promise<NatsNetwork> {
  const { servers, timeoutMs = connectTimeoutMsDefault, ...credentials } = options;
  let connection: NatsConnection;
  try {
    connection = await connect({
      ...credentials,
      servers: [...servers],
      timeout: timeoutMs,
      pingInterval: pingIntervalMs,
      maxPingOut: pingsOutMax,
      reconnectTimeWait: reconnectWaitMs,
      reconnectJitter: reconnectWaitMs,
      maxReconnectAttempts: -1,
      noAsyncTraces: true,
    });
  } catch (cause) {
    if (isCausedBy(cause, errors.AuthorizationError, errors.UserAuthenticationExpiredError))
      throw new NatsDeniedError(servers, { cause });
    throw new NatsUnreachableError(servers, { cause });
  }
  const transport = new NatsTransport(connection);
  return {
    transport,
    serverVersion: connection.info?.version ?? "unknown",
    openStore: (bucket) => openStore(connection, bucket),
    close: () => transport.close(),
  };
}

async function openStore(connection: NatsConnection, bucket: string): Promise<Store> {
  if (connection.info?.jetstream !== true) throw new JetStreamDisabledError();
  return openKvStore(jetstream(connection, { timeout: storeTimeoutMs }), bucket);
}
