/**
 * Everything that runs: servers, proxies and nodes, started together and ended together.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "@coppice/kernel";
import type { NatsNetwork } from "@coppice/net-nats";
import { ClockFaults } from "./clock-faults.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { type HarnessTime, uptimeLagMs } from "./harness-time.ts";
import type { HistoryStream } from "./history-stream.ts";
import { NatsServers } from "./nats-servers.ts";
import { NodeProcess } from "./node-process.ts";
import { watchOwnership } from "./ownership-watch.ts";
import { mountSmallDisk, unmountSmallDisk } from "./small-disk.ts";
import { counters } from "./workloads/names.ts";
import type { World } from "./world.ts";

export interface ClusterOptions {
  /** Where everything is kept; empty. */
  readonly folder: string;
  readonly natsServer: string;
  readonly servers: number;
  readonly nodes: number;
  /** Of each node. */
  readonly callsPerSecond: number;
  /** Of each node. */
  readonly broadcastsPerSecond: number;
  /** The component's file; nothing: no component. */
  readonly component: string | undefined;
  readonly cacheDir: string;
  /** Modules that every node loads first. */
  readonly preloads: readonly string[];
  readonly random: Random;
  readonly now: HarnessTime;
  readonly history: HistoryStream;
  /** A node ended that was to run. */
  readonly onUnexpectedEnd: (node: string, how: string) => void;
}

export interface ClusterUnderTest {
  readonly world: World;
  readonly stop: () => Promise<void>;
}

const cluster = "chaos";
export const historyFolder = (folder: string): string => join(folder, "history");

export async function startCluster(options: ClusterOptions): Promise<ClusterUnderTest> {
  const { folder, natsServer, servers: count, random, now, history } = options;
  const natsFolder = join(folder, "nats");
  const disk = join(natsFolder, "nats-1");
  const hasDisk = mountSmallDisk(disk);
  const parts: (() => void | Promise<void>)[] = hasDisk ? [() => unmountSmallDisk(disk)] : [];
  const stop = async (): Promise<void> => {
    for (const end of parts.splice(0).toReversed()) await end();
  };
  try {
    const servers = await NatsServers.start({ executable: natsServer, folder: natsFolder, count });
    parts.push(() => servers.stop());
    const links = new Map<NodeProcess, readonly FaultProxy[]>();
    for (let number = 1; number <= options.nodes; number += 1) {
      const proxies = await Promise.all(
        servers.ports.map((port) => FaultProxy.start(port, random)),
      );
      parts.push(() => proxies.forEach((proxy) => proxy.close()));
      links.set(makeNode(options, `n${number}`, proxies), proxies);
    }
    const nodes = [...links.keys()];
    parts.push(async () => void (await Promise.all(nodes.map((node) => node.kill()))));
    const network = await watchFromOutside(servers.urls, options);
    parts.push(() => network.close());
    await Promise.all(nodes.map((node) => node.start()));
    const world: World = {
      cluster,
      nodes,
      servers,
      links: (node) => links.get(node)!,
      clocks: new ClockFaults(folder),
      network,
      names: counters,
      hasGuest: options.component !== undefined,
      smallDisk: hasDisk ? disk : undefined,
    };
    return { world, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }

  function watchFromOutside(
    urls: readonly string[],
    { servers }: ClusterOptions,
  ): Promise<NatsNetwork> {
    const onEvent = history.add.bind(history);
    return watchOwnership({ servers: urls, cluster, replicas: servers, now, onEvent });
  }
}

function makeNode(
  options: ClusterOptions,
  name: string,
  proxies: readonly FaultProxy[],
): NodeProcess {
  const { folder, history } = options;
  const clocks = new ClockFaults(folder);
  mkdirSync(historyFolder(folder), { recursive: true });
  const { callsPerSecond, broadcastsPerSecond, component, cacheDir } = options;
  return new NodeProcess({
    settings: {
      name,
      cluster,
      servers: proxies.map(({ port }) => `nats://127.0.0.1:${port}`),
      replicas: options.servers,
      history: historyFolder(folder),
      callsPerSecond,
      broadcastsPerSecond,
      component,
      cacheDir,
    },
    uptimeLagMs: uptimeLagMs(),
    folder,
    nodeArgs: options.preloads.map((module) => `--import=${module}`),
    clockEnvironment: (rate) => clocks.environment(name, rate),
    onStart: (life) => history.began(name, life),
    onEnd: (life, how) => {
      history.ended(name, life);
      if (how !== undefined) options.onUnexpectedEnd(name, how);
    },
  });
}
