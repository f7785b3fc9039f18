/**
 * A cluster of nodes in this thread, on the in-memory network.
 *
 * @module
 */
import { type ClusterNode, startNode } from "@coppice/cluster";
import { type LogFields, type Logger, systemClock, systemRandom } from "@coppice/kernel";
import { MemoryNetwork, MemoryStore } from "@coppice/net";
import { GenServer } from "@coppice/otp";
import { onTestFinished } from "vitest";

/** Counts, and tells where it runs. */
export class Counter extends GenServer {
  #count = 0;
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
  where(): string {
    return this.self.pid.node;
  }
  crash(): void {
    throw new Error("told to");
  }
  list(): unknown {
    return [new Map([["a", 1n]]), new Set([1]), this.self.pid];
  }
  leak(): unknown {
    return () => 1;
  }
}

export const counterTree = {
  strategy: "one_for_one",
  children: [{ id: "counter", name: "counter", start: [Counter] }],
} as const;

export interface TestNode extends ClusterNode {
  readonly logs: LogFields[];
  /** As if its machine were gone: nothing of it reaches the others any more. */
  readonly cutOff: () => void;
  readonly reconnect: () => void;
}

/** Makes nodes of one cluster. They stop when the test ends. */
export function memoryCluster(limits: { readonly payloadBytesMax?: number } = {}) {
  const network = new MemoryNetwork({ clock: systemClock, ...limits });
  const store = new MemoryStore({ clock: systemClock });
  const start = async (name: string): Promise<TestNode> => {
    const transport = network.connect();
    const logs: LogFields[] = [];
    const keep = (fields: LogFields): void => void logs.push(fields);
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
    const node = await startNode({
      name,
      cluster: "test",
      osPid: 1,
      transport,
      store,
      clock: systemClock,
      random: systemRandom,
      logger,
    });
    onTestFinished(async () => {
      transport.reconnect();
      await node.stop();
    });
    const cutOff = (): void => transport.disconnect();
    const reconnect = (): void => transport.reconnect();
    return Object.assign(node, { logs, cutOff, reconnect });
  };
  const transport = network.connect();
  return { start, transport, store };
}
