/**
 * Connecting to NATS.
 *
 * @module
 */
import { type Clock, systemClock } from "@coppice/kernel";
import type { Artifacts, Store, Transport } from "@coppice/net";
import { jetstream, type JetStreamClient } from "@nats-io/jetstream";
import { connect, errors, type NatsConnection } from "@nats-io/transport-node";
import { authenticatorOf, type Credentials, type TlsFiles } from "./credentials.ts";
import {
  JetStreamDisabledError,
  NatsDeniedError,
  NatsTlsError,
  NatsUnreachableError,
} from "./errors.ts";
import { openKvStore, type StoreOptions } from "./kv-store.ts";
import { isCausedBy, NatsTransport } from "./nats-transport.ts";
import { Regression } from "./regression.ts";
import { openObjectArtifacts } from "./object-artifacts.ts";

/** Where and as whom to connect. */
export interface ConnectOptions {
  /** `nats://host:port`, any of a cluster; the others are learned from it. */
  readonly servers: readonly string[];
  /** Shown in the server's connection list. */
  readonly name: string;
  /** Default: none. */
  readonly credentials?: Credentials;
  /** Default: TLS only if the server asks for it, trusting the machine's own authorities. */
  readonly tls?: TlsFiles;
  /** How long to try, in milliseconds. Default: 2_000. */
  readonly timeoutMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** A connection. */
export interface NatsNetwork {
  readonly transport: Transport;
  readonly serverVersion: string;
  /**
   * Opens a bucket, and makes it if there is none. A {@link StoreRegressedError} in the transport's status `closed` says
   * later that the server lost writes of it. @throws {JetStreamDisabledError} {ForeignBucketError}
   */
  readonly openStore: (bucket: string, options?: StoreOptions) => Promise<Store>;
  /** Opens a bucket of artifacts. @throws {JetStreamDisabledError} {ForeignBucketError} */
  readonly openArtifacts: (bucket: string, options?: StoreOptions) => Promise<Artifacts>;
  /** Sends what is buffered and closes. */
  readonly close: () => Promise<void>;
}

/** How long to try to connect, in milliseconds. */
export const connectTimeoutMsDefault = 2_000;
/** A lost server is noticed after two pings without an answer: 2 to 3 s. */
const pingIntervalMs = 1_000;
const pingsOutMax = 2;
/** Other servers of the list are tried this soon. Each dial may take `timeoutMs`. */
const reconnectWaitMs = 50;
const storeTimeoutMs = 2_000;
const defaultPort = 4222;

/**
 * @throws {NatsUnreachableError} if no server answers in time.
 * @throws {NatsDeniedError} if it refuses the credentials.
 * @throws {NatsTlsError} if there is no secure connection.
 * @throws {BadCredentialsError} if the credentials cannot be read.
 */
export async function connectNats(options: ConnectOptions): Promise<NatsNetwork> {
  const { servers, name, credentials, tls, clock = systemClock } = options;
  const authenticator = credentials === undefined ? undefined : authenticatorOf(credentials);
  let connection: NatsConnection;
  try {
    connection = await connect({
      name,
      ...(authenticator === undefined ? {} : { authenticator }),
      ...(tls === undefined ? {} : { tls: { ...tls } }),
      servers: [...servers],
      timeout: options.timeoutMs ?? connectTimeoutMsDefault,
      pingInterval: pingIntervalMs,
      maxPingOut: pingsOutMax,
      reconnectTimeWait: reconnectWaitMs,
      reconnectJitter: reconnectWaitMs,
      maxReconnectAttempts: -1,
      noAsyncTraces: true,
    });
  } catch (cause) {
    throw connectError(servers, cause);
  }
  // The client forgets servers that did not answer while it connected first: they may be needed later.
  const known = connection.getServers().map(({ listen }) => listen);
  connection.setServers([...new Set([...known, ...servers.map(listenOf)])]);
  const transport = new NatsTransport(connection, clock, servers);
  const report = (thrown: unknown): void => transport.report(thrown);
  return {
    transport,
    serverVersion: connection.info?.version ?? "unknown",
    openStore: async (bucket, more = {}) => {
      const client = clientOf(connection);
      const regression = new Regression({
        jetstream: client,
        stream: `KV_${bucket}`,
        clock,
        fail: (error) => transport.fail(error),
      });
      const store = await openKvStore(client, bucket, { ...more, clock, report, regression });
      transport.onStatus(({ type }) => {
        if (type === "reconnected") void regression.look().catch(report);
      });
      return store;
    },
    openArtifacts: async (bucket, more = {}) =>
      openObjectArtifacts(clientOf(connection), bucket, more),
    close: () => transport.close(),
  };
}

/** `host:port` of an address as {@link ConnectOptions.servers} has it. */
function listenOf(server: string): string {
  const { hostname, port } = new URL(server.includes("://") ? server : `nats://${server}`);
  return `${hostname}:${port === "" ? defaultPort : port}`;
}

function clientOf(connection: NatsConnection): JetStreamClient {
  if (connection.info?.jetstream !== true) throw new JetStreamDisabledError();
  return jetstream(connection, { timeout: storeTimeoutMs });
}

function connectError(servers: readonly string[], cause: unknown): Error {
  if (isCausedBy(cause, errors.AuthorizationError, errors.UserAuthenticationExpiredError))
    return new NatsDeniedError(servers, { cause });
  const why = tlsFault(cause);
  return why === undefined
    ? new NatsUnreachableError(servers, { cause })
    : new NatsTlsError(servers, why, { cause });
}

const tlsCodes = /CERT|SIGNATURE|SELF_SIGNED|^ERR_TLS|^ERR_SSL|^ERR_OSSL|UNABLE_TO_/;

/** What is wrong with the certificates, if that is why. */
function tlsFault(cause: unknown): string | undefined {
  for (let each: unknown = cause; each instanceof Error; each = each.cause) {
    const { code } = each as { readonly code?: unknown };
    if (typeof code === "string" && tlsCodes.test(code)) return each.message;
    if (/\btls\b|certificate|secure/i.test(each.message)) return each.message;
  }
  return undefined;
}
