/**
 * Faults of processes: killed, frozen, restarted.
 *
 * @module
 */
import { oneOf } from "../schedule-policy.ts";
import { type Fault, needsThree } from "./fault.ts";

const kill: Fault = {
  kind: "kill",
  description: "SIGKILL for a node; it is started again",
  lengthMs: [0, 5_000],
  inject: async (random, { nodes }) => {
    const node = oneOf(nodes, random);
    await node.kill();
    return { targets: [node.name], heal: () => node.start() };
  },
};

const killTwo: Fault = {
  kind: "kill_two",
  description: "SIGKILL for two nodes at once; they are started again",
  lengthMs: [0, 4_000],
  inject: async (random, { nodes }) => {
    const spared = oneOf(nodes, random);
    const victims = nodes.filter((node) => node !== spared).slice(0, 2);
    await Promise.all(victims.map((node) => node.kill()));
    return {
      targets: victims.map(({ name }) => name),
      heal: async () => void (await Promise.all(victims.map((node) => node.start()))),
    };
  },
};

const freeze: Fault = {
  kind: "freeze",
  description: "SIGSTOP for a node, longer than the lease on one server, then SIGCONT",
  lengthMs: [4_000, 9_000],
  inject: (random, { nodes }) => {
    const node = oneOf(nodes, random);
    node.freeze();
    return { targets: [node.name], heal: () => node.thaw() };
  },
};

const longFreeze: Fault = {
  ...freeze,
  kind: "long_freeze",
  description: "SIGSTOP for a node, longer than the lease on a group of servers, then SIGCONT",
  lengthMs: [14_000, 20_000],
  unavailable: needsThree,
};

const pause: Fault = {
  kind: "pause",
  description: "SIGSTOP for a node, shorter than its lease, then SIGCONT",
  lengthMs: [200, 3_500],
  inject: (random, { nodes }) => {
    const node = oneOf(nodes, random);
    node.freeze();
    return { targets: [node.name], heal: () => node.thaw() };
  },
};

const processKill: Fault = {
  kind: "process_kill",
  description: "named processes are killed where they run",
  lengthMs: [0, 500],
  inject: (random, { nodes, names }) => {
    const name = oneOf(names, random);
    oneOf(nodes, random).command(`kill ${name}`);
    return { targets: [name], heal: () => {} };
  },
};

export const processFaults: readonly Fault[] = [
  kill,
  killTwo,
  freeze,
  longFreeze,
  pause,
  processKill,
];
