/**
 * Wiring a node: the machine's clock and randomness, the network, the store, the log.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import {
  type ClusterNode,
  leaseMsDefault,
  replicatedLeaseMsDefault,
  startNode as startClusterNode,
} from "@coppice/cluster";
import { useComponentThreads } from "@coppice/component";
import { type Logger, systemClock, systemRandom } from "@coppice/kernel";
import {
  type Artifacts,
  escapeToken,
  MemoryArtifacts,
  MemoryNetwork,
  MemoryStore,
  type Store,
  type Transport,
} from "@coppice/net";
import { connectNats } from "@coppice/net-nats";
import { bucketOf } from "./bucket-name.ts";
import { LateArtifacts } from "./late-artifacts.ts";
import { createLogger } from "./logging.ts";
import type { NatsAccess } from "./nats-access.ts";

/** A node and where it meets others. */
export interface StartOptions extends NatsAccess {
  readonly name: string;
  /** Default: `default`. */
  readonly cluster?: string;
  /** NATS servers, such as `nats://127.0.0.1:4222`. Without any, the node is alone and keeps everything in memory. */
  readonly servers?: readonly string[];
  /** What placement may ask for, such as `{ zone: "north" }`. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How much of what is placed the node takes, compared with others; 0 takes nothing. Default: 1. */
  readonly weight?: number;
  /**
   * How many threads beside the node's own its components run on, so that heartbeats and sockets never wait for a guest;
   * they are started with the first component. 0 runs components on the node's thread, where a call is quicker. Default:
   * one for each core but one, which is 0 on a machine with a single core.
   */
  readonly componentThreads?: number;
  /**
   * For how long the node owns its names after NATS last heard from it, and about how long others wait before they take
   * over from it when it falls silent, in milliseconds, from 3_000 to 60_000. Default: 3_000; with `replicas` 12_000, since a
   * group of servers may need 10 s to elect a leader.
   */
  readonly leaseMs?: number;
  /** As `NodeOptions.registryRevision`. */
  readonly registryRevision?: number;
  /** Default: JSON lines on stderr. */
  readonly logger?: Logger;
  /**
   * Called once when the node is lost for good, which is stopping then: the servers forbid what it needs, take its
   * credentials no longer, or lost writes of the cluster's store; or, with {@link NodeDeposedError}, it was frozen for so
   * long that others took over, and another may be started in its place. Default: it is logged.
   */
  readonly onFailure?: (error: Error) => void;
}

/**
 * Starts a node. Stop it with `stop()`, or hold it with `await using`.
 *
 * @throws {NatsUnreachableError} {NatsDeniedError} {NatsTlsError} {JetStreamDisabledError} if the servers cannot be used.
 * @throws {BadCredentialsError} if the credentials cannot be read.
 * @throws {NatsPermissionError} if they do not allow what a node needs.
 * @throws {ForeignBucketError} if the cluster's bucket is somebody else's.
 * @throws {NodeNameTakenError} if a node of this name is running.
 * @throws {RangeError} if the name of the node or the cluster is empty, too long for a subject, or no text, or if
 *   `componentThreads` is not a whole number, 0 or more.
 */
export async function startNode(options: StartOptions): Promise<ClusterNode> {
  const { name, cluster = "default", logger = createLogger(name), replicas = 1 } = options;
  const { leaseMs = replicas > 1 ? replicatedLeaseMsDefault : leaseMsDefault } = options;
  const { componentThreads = availableParallelism() - 1 } = options;
  assertName("node", name);
  assertName("cluster", cluster);
  if (!Number.isInteger(componentThreads) || componentThreads < 0)
    throw new RangeError(`componentThreads must be 0 or more, whole, not ${componentThreads}`);
  const network = await openNetwork(options, cluster);
  const { transport, store, artifacts } = network;
  const failure = failureOf(transport);
  try {
    const starting = startClusterNode({
      name,
      cluster,
      osPid: process.pid,
      ...(options.labels === undefined ? {} : { labels: options.labels }),
      ...(options.weight === undefined ? {} : { weight: options.weight }),
      leaseMs,
      registryRevision: options.registryRevision ?? 0,
      onDeposed: (error) => {
        options.onFailure?.(error);
        void network.close();
      },
      transport,
      store,
      artifacts,
      clock: systemClock,
      random: systemRandom,
      logger,
    });
    const node = await Promise.race([starting, throwing(failure)]);
    const endThreads = useComponentThreads(node.kernel, componentThreads);
    closingAfter(node, async () => {
      await endThreads();
      await network.close();
    });
    void failure.then((error) => {
      const fields = { event: "network_failed", error: error.message };
      logger.error(fields, `the node stops: ${error.message}`);
      options.onFailure?.(error);
      return node.stop();
    });
    return node;
  } catch (thrown) {
    await network.close();
    throw thrown;
  }
}

/** Before a server is asked: it would close the connection without saying why. */
function assertName(what: "node" | "cluster", name: string): void {
  if (name === "") throw new RangeError(`a ${what} must have a name: give it one`);
  escapeToken(name);
}

/** Resolves when the connection is closed for good, with the reason. */
function failureOf(transport: Transport): Promise<Error> {
  return new Promise((resolve) => {
    transport.onStatus((status) => {
      if (status.type === "closed" && status.error !== undefined) resolve(status.error);
    });
  });
}

async function throwing(failure: Promise<Error>): Promise<never> {
  throw await failure;
}

interface Network {
  readonly transport: Transport;
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly close: () => Promise<void>;
}

async function openNetwork(options: StartOptions, cluster: string): Promise<Network> {
  const { name, servers = [], credentials, tls, replicas } = options;
  if (servers.length === 0) {
    const transport = new MemoryNetwork({ clock: systemClock }).connect();
    const store = new MemoryStore({ clock: systemClock });
    const artifacts = new MemoryArtifacts();
    return { transport, store, artifacts, close: () => transport.close() };
  }
  const nats = await connectNats({
    servers,
    name: `coppice ${cluster} ${name}`,
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
  });
  try {
    const bucket = bucketOf(cluster);
    const kept = replicas === undefined ? {} : { replicas };
    const store = await nats.openStore(bucket, kept);
    const artifacts = new LateArtifacts(() => nats.openArtifacts(bucket, kept));
    const close = async (): Promise<void> => {
      await store.close();
      await nats.close();
    };
    return { transport: nats.transport, store, artifacts, close };
  } catch (thrown) {
    await nats.close();
    throw thrown;
  }
}

/** The node owns what was made for it. */
function closingAfter(node: ClusterNode, close: () => Promise<void>): void {
  const stop = node.stop.bind(node);
  node.stop = async () => {
    await stop();
    await close();
  };
}
