/**
 * What a fault can act on: the nodes, the servers, and the connections between them.
 *
 * @module
 */
import type { NatsNetwork } from "@coppice/net-nats";
import type { ClockFaults } from "./clock-faults.ts";
import type { FaultProxy } from "./fault-proxy.ts";
import type { NatsServers } from "./nats-servers.ts";
import type { NodeProcess } from "./node-process.ts";

export interface World {
  readonly cluster: string;
  readonly nodes: readonly NodeProcess[];
  readonly servers: NatsServers;
  /** The proxies of a node, one for each server. */
  readonly links: (node: NodeProcess) => readonly FaultProxy[];
  readonly clocks: ClockFaults;
  /** The runner's own connection. */
  readonly network: NatsNetwork;
  /** The names that are called. */
  readonly names: readonly string[];
  /** Whether a guest component runs. */
  readonly hasGuest: boolean;
  /** The folder of the first server's files, if it is a small disk of its own that may be filled. */
  readonly smallDisk: string | undefined;
}
