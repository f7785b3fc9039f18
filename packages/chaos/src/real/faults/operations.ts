/**
 * What operators do: nodes drained and restarted. No call may fail because of it.
 *
 * @module
 */
import type { NodeProcess } from "../node-process.ts";
import { oneOf, shuffled } from "../schedule-policy.ts";
import type { Fault } from "./fault.ts";

/** Longer than a call may take, so that none that fails was made before. */
const calmMs = 8_000;

async function restart(node: NodeProcess): Promise<void> {
  await node.stop();
  await node.start();
}

const drain: Fault = {
  kind: "drain",
  description: "a node is drained and stopped gracefully, then started again",
  lengthMs: [0, 3_000],
  calmMs,
  inject: async (random, { nodes }) => {
    const node = oneOf(nodes, random);
    await node.stop();
    return { targets: [node.name], heal: () => node.start() };
  },
};

const rollingRestart: Fault = {
  kind: "rolling_restart",
  description: "all nodes, one after the other, are drained and restarted",
  lengthMs: [0, 0],
  calmMs,
  inject: async (random, { nodes }) => {
    const order = shuffled(nodes, random);
    for (const node of order) await restart(node);
    return { targets: order.map(({ name }) => name), heal: () => {} };
  },
};

export const operations: readonly Fault[] = [drain, rollingRestart];
