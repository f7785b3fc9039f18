import type { ClusterNode, ClusterSupervisor } from "@coppice/cluster";
import { seededRandom } from "@coppice/kernel";
import { GenServer } from "@coppice/otp";
import { describe, expect, test } from "vitest";
import { type SimulatedNode, simulatedCluster } from "./simulated.ts";

interface Act {
  readonly name: string;
  readonly pid: string;
  readonly atMs: number;
}

interface Machine {
  readonly name: string;
  node: SimulatedNode | undefined;
  workers: ClusterSupervisor | undefined;
  isCut: boolean;
}

const stepMs = 100;
const steps = 300;
/** Long enough for every lease to run out and every wait between two starts to pass. */
const quietMs = 45_000;

/** The first process that acted for a name after another had taken its place. */
function findStale(acts: readonly Act[]): Act | undefined {
  const current = new Map<string, string>();
  const replaced = new Set<string>();
  for (const act of acts) {
    if (replaced.has(act.pid)) return act;
    const before = current.get(act.name);
    if (before !== undefined && before !== act.pid) replaced.add(before);
    current.set(act.name, act.pid);
  }
  return undefined;
}

/** Adds and removes children, calls them, cuts nodes off, kills and drains them, all from one seed; then lets it heal. */
async function runFaults(seed: number) {
  const cluster = simulatedCluster(seed);
  const random = seededRandom(seed);
  const below = (count: number): number => random.u32() % count;
  const acts: Act[] = [];
  class Actor extends GenServer {
    readonly #name: string;
    constructor(name: string) {
      super();
      this.#name = name;
    }
    act(): void {
      acts.push({ name: this.#name, pid: this.self.pid.toString(), atMs: cluster.clock.now() });
    }
    crash(): void {
      throw new Error("told to");
    }
  }
  const machines: Machine[] = ["a", "b", "c", "d"].map((name) => ({
    name,
    node: undefined,
    workers: undefined,
    isCut: false,
  }));
  const boot = async (machine: Machine): Promise<void> => {
    const node = await cluster.start(machine.name);
    const kinds = { actor: Actor };
    machine.workers = await cluster.run(node.startClusterSupervisor({ name: "w", kinds }));
    machine.node = node;
    machine.isCut = false;
  };
  for (const machine of machines) await boot(machine);
  const wanted = new Set<string>();
  const open: Promise<unknown>[] = [];
  const up = (): Machine[] => machines.filter(({ node, isCut }) => node !== undefined && !isCut);
  const faults: Record<string, () => Promise<void>> = {
    cut: async () => {
      const machine = up()[below(up().length)];
      if (machine === undefined || up().length < 3) return;
      machine.isCut = true;
      machine.node!.cutOff();
    },
    heal: async () => {
      for (const machine of machines) {
        if (!machine.isCut) continue;
        machine.isCut = false;
        machine.node!.reconnect();
      }
    },
    kill: async () => {
      const machine = up()[below(up().length)];
      if (machine === undefined || up().length < 3) return;
      machine.node!.crash();
      machine.node = undefined;
    },
    restart: async () => {
      const machine = machines.find(({ node }) => node === undefined);
      if (machine !== undefined) await boot(machine);
    },
    drain: async () => {
      const machine = up()[below(up().length)];
      if (machine === undefined || up().length < 3) return;
      await cluster.run(machine.node!.stop());
      machine.node = undefined;
    },
    add: async () => {
      const id = `child-${below(10)}`;
      const workers = up()[below(up().length)]?.workers;
      if (workers === undefined || wanted.has(id)) return;
      wanted.add(id);
      const child = { id, kind: "actor", args: [id] };
      open.push(workers.startChild(child, { timeoutMs: 20_000 }).catch(() => {}));
    },
    remove: async () => {
      const id = [...wanted][below(wanted.size + 1)];
      const workers = up()[below(up().length)]?.workers;
      if (id === undefined || workers === undefined) return;
      const isRemoved = await cluster
        .run(workers.terminateChild(id, { timeoutMs: 20_000 }))
        .then(() => true)
        .catch((thrown: { code?: string }) => thrown.code === "child_not_ready");
      if (isRemoved) wanted.delete(id);
    },
    crash: async () => {
      const id = [...wanted][below(wanted.size + 1)];
      if (id !== undefined)
        open.push(
          up()[0]!
            .node!.call(id, "crash", [])
            .catch(() => {}),
        );
    },
  };
  const kinds = ["cut", "heal", "heal", "kill", "restart", "restart", "drain", "add", "add", "add"];
  for (let step = 0; step < steps; step += 1) {
    for (const { node } of machines)
      for (const id of wanted)
        if (node !== undefined && below(3) === 0)
          open.push(node.call(id, "act", [], { timeoutMs: 2_000 }).catch(() => {}));
    const kind = [...kinds, "remove", "crash"][below(60)];
    if (kind !== undefined) await faults[kind]!();
    await cluster.advance(stepMs);
  }
  await faults["heal"]!();
  for (const machine of machines) if (machine.node === undefined) await boot(machine);
  await cluster.advance(quietMs);
  await cluster.run(Promise.all(open));
  const nodes = machines.map(({ node }) => node!);
  const running = nodes
    .flatMap(({ kernel }) => kernel.processes())
    .filter(({ kind }) => kind === "gen-server")
    .map(({ label }) => label!);
  return { ...cluster, nodes, acts, running, wanted: [...wanted] };
}

const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

describe("a cluster supervisor under faults", () => {
  test.for(seeds)(
    "E-051, E-053, N2: nothing is lost, nothing doubled, nobody acts after its successor (seed %i)",
    async (seed: number) => {
      const { nodes, acts, running, wanted, run } = await runFaults(seed);
      expect(findStale(acts)).toBeUndefined();
      expect(running.toSorted()).toEqual(wanted.toSorted());
      const calls = (node: ClusterNode) =>
        Promise.all(wanted.map((id) => node.call(id, "act", [])));
      for (const node of nodes) await run(calls(node));
      expect(nodes[0]!.names().map(({ name }) => name)).toEqual(wanted.toSorted());
      expect(acts.length).toBeGreaterThan(100);
    },
  );
});
