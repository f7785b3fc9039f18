/**
 * Faults of clocks.
 *
 * @module
 */
import { oneOf } from "../schedule-policy.ts";
import type { World } from "../world.ts";
import type { Fault } from "./fault.ts";

const hourSeconds = 3_600;
/** Within what the promises allow: less than 5 % apart. */
const rates = [0.98, 1.02];

const unavailable = ({ clocks }: World): string | undefined => clocks.unavailable;

const jump: Fault = {
  kind: "clock_jump",
  description: "a node's wall clock jumps an hour forwards or back, and later returns",
  lengthMs: [1_500, 6_000],
  unavailable,
  inject: (random, { nodes, clocks }) => {
    const node = oneOf(nodes, random);
    clocks.jump(node.name, oneOf([hourSeconds, -hourSeconds], random));
    return { targets: [node.name], heal: () => clocks.jump(node.name, 0) };
  },
};

const rate: Fault = {
  kind: "clock_rate",
  description:
    "a node is restarted with all its clocks 2 % too fast or too slow, and later without",
  lengthMs: [6_000, 15_000],
  unavailable,
  inject: async (random, { nodes }) => {
    const node = oneOf(nodes, random);
    await node.stop();
    await node.start(oneOf(rates, random));
    const heal = async (): Promise<void> => {
      await node.stop();
      await node.start();
    };
    return { targets: [node.name], heal };
  },
};

export const clockFaults: readonly Fault[] = [jump, rate];
