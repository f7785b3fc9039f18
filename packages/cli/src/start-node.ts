/**
 * Wiring a node: the machine's clock and randomness, the network, the store, the log.
 *
 * @module
 */
import { type ClusterNode, startNode as startClusterNode } from "@coppice/cluster";
import { type Logger, systemClock, systemRandom } from "@coppice/kernel";
import { MemoryNetwork, MemoryStore, type Store, type Transport } from "@coppice/net";
import { connectNats } from "@coppice/net-nats";
import { createLogger } from "./logging.ts";

/** A node and where it meets others. */
export interface StartOptions {
  readonly name: string;
  /** Default: `default`. */
  readonly cluster?: string;
  /** NATS servers, such as `nats://127.0.0.1:4222`. Without any, the node is alone and keeps everything in memory. */
  readonly servers?: readonly string[];
  /** What placement may ask for, such as `{ zone: "north" }`. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How much of what is placed the node takes, compared with others; 0 takes nothing. Default: 1. */
  readonly weight?: number;
  /** Default: JSON lines on stderr. */
  readonly logger?: Logger;
}

/** The KV bucket that holds a cluster's names. */
function bucketOf(cluster: string): string {
  return `coppice-${cluster.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;
}

/**
 * Starts a node. Stop it with `stop()`, or hold it with `await using`.
 *
 * @throws {NatsUnreachableError} {NatsDeniedError} {JetStreamDisabledError} if the servers cannot be used.
 * @throws {NodeNameTakenError} if a node of this name is running.
 */
export async function startNode(options: StartOptions): Promise<ClusterNode> {
  const { name, cluster = "default", servers = [], logger = createLogger(name) } = options;
  const network = await openNetwork(name, cluster, servers);
  const { transport, store } = network;
  try {
    const node = await startClusterNode({
      name,
      cluster,
      osPid: process.pid,
      ...(options.labels === undefined ? {} : { labels: options.labels }),
      ...(options.weight === undefined ? {} : { weight: options.weight }),
      transport,
      store,
      clock: systemClock,
      random: systemRandom,
      logger,
    });
    return closingAfter(node, network.close);
  } catch (thrown) {
    await network.close();
    throw thrown;
  }
}

interface Network {
  readonly transport: Transport;
  readonly store: Store;
  readonly close: () => Promise<void>;
}

async function openNetwork(
  name: string,
  cluster: string,
  servers: readonly string[],
): Promise<Network> {
  if (servers.length === 0) {
    const transport = new MemoryNetwork({ clock: systemClock }).connect();
    const store = new MemoryStore({ clock: systemClock });
    return { transport, store, close: () => transport.close() };
  }
  const nats = await connectNats({ servers, name: `coppice ${cluster} ${name}` });
  try {
    const store = await nats.openStore(bucketOf(cluster));
    const close = async (): Promise<void> => {
      await store.close();
      await nats.close();
    };
    return { transport: nats.transport, store, close };
  } catch (thrown) {
    await nats.close();
    throw thrown;
  }
}

/** The node owns the connection that was made for it. */
function closingAfter(node: ClusterNode, close: () => Promise<void>): ClusterNode {
  const stop = node.stop.bind(node);
  node.stop = async () => {
    await stop();
    await close();
  };
  return node;
}
