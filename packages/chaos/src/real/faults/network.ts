/**
 * Faults of the network between one node and the servers, made by the proxies.
 *
 * @module
 */
import type { Random } from "@coppice/kernel";
import type { Direction, FaultProxy } from "../fault-proxy.ts";
import { oneOf, within } from "../schedule-policy.ts";
import type { World } from "../world.ts";
import type { Fault, Injected } from "./fault.ts";

/** Does it to every connection of one node. */
function toOneNode(
  random: Random,
  { nodes, links }: World,
  harm: (proxy: FaultProxy) => void,
): Injected {
  const node = oneOf(nodes, random);
  const proxies = links(node);
  for (const proxy of proxies) harm(proxy);
  const heal = (): void => {
    for (const proxy of proxies) proxy.heal();
  };
  return { targets: [node.name], heal };
}

function black(...directions: readonly Direction[]) {
  return (random: Random, world: World): Injected =>
    toOneNode(random, world, (proxy) => {
      for (const direction of directions) proxy.set(direction, { isBlack: true });
    });
}

const cut: Fault = {
  kind: "cut",
  description: "a node's connection is reset, and new ones are refused",
  lengthMs: [500, 8_000],
  inject: (random, world) =>
    toOneNode(random, world, (proxy) => {
      proxy.refuse(true);
      proxy.reset();
    }),
};

const reset: Fault = {
  kind: "reset",
  description: "a node's connection is reset once",
  lengthMs: [0, 0],
  inject: (random, world) => toOneNode(random, world, (proxy) => proxy.reset()),
};

const blackHole: Fault = {
  kind: "black_hole",
  description: "nothing passes between a node and the servers, and nobody is told",
  lengthMs: [500, 8_000],
  inject: black("up", "down"),
};

const deaf: Fault = {
  kind: "deaf",
  description: "a node hears nothing; what it says arrives",
  lengthMs: [500, 8_000],
  inject: black("down"),
};

const mute: Fault = {
  kind: "mute",
  description: "what a node says does not arrive; it hears everything",
  lengthMs: [500, 8_000],
  inject: black("up"),
};

const latency: Fault = {
  kind: "latency",
  description: "10 to 150 ms more each way for a node, with jitter",
  lengthMs: [2_000, 8_000],
  inject: (random, world) => {
    const delayMs = within([10, 150], random);
    return toOneNode(random, world, (proxy) => {
      proxy.set("up", { delayMs, jitterMs: delayMs });
      proxy.set("down", { delayMs, jitterMs: delayMs });
    });
  },
};

const bitFlips: Fault = {
  kind: "bit_flips",
  description: "single bits of what a node hears are flipped",
  lengthMs: [500, 3_000],
  inject: (random, world) =>
    toOneNode(random, world, (proxy) => proxy.set("down", { flipOneIn: 50 })),
};

const flapping: Fault = {
  kind: "flapping",
  description: "every node's connection is reset, in random order",
  lengthMs: [0, 0],
  inject: async (random, { nodes, links }) => {
    const proxies = nodes.flatMap((node) => links(node));
    for (let times = 0; times < 5; times += 1) {
      oneOf(proxies, random).reset();
      await new Promise((resolve) => setTimeout(resolve, within([0, 300], random)));
    }
    return { targets: nodes.map(({ name }) => name), heal: () => {} };
  },
};

export const networkFaults: readonly Fault[] = [
  cut,
  reset,
  blackHole,
  deaf,
  mute,
  latency,
  bitFlips,
  flapping,
];
