/**
 * What callers see of nodes that freeze, and of nodes that are restarted one after the other.
 *
 * @module
 */
import { CallError, type ClusterNode, GenServer, startNode } from "coppice";
import { percentile } from "@coppice/testkit";
import { type BenchNode, startBenchNode, startBenchServer } from "./cluster-nats.ts";
import { type Figure, spread } from "./figures.ts";

const freezes = 10;
const frozenAimMs = 4_000;
/** Every node of the rolling restart is restarted so often. */
const rounds = 3;
const names = 12;
const callers = 32;
/** Under load for so long before each restart. */
const loadMs = 1_000;
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

class Named extends GenServer {
  where(): string {
    return this.self.pid.node;
  }
}

/** A cluster of processes, and a node of this process that calls theirs. */
interface Cluster extends AsyncDisposable {
  readonly caller: ClusterNode;
  readonly ids: readonly string[];
  readonly nodes: Map<string, BenchNode>;
  readonly restart: (name: string, signal: "SIGTERM" | "SIGKILL") => Promise<void>;
}

/** The node of this process takes no children. */
async function startCluster(nodeNames: readonly string[], children: number): Promise<Cluster> {
  const server = await startBenchServer();
  const nodes = new Map<string, BenchNode>();
  const { url } = server;
  const caller = await startNode({
    name: "caller",
    cluster: "bench",
    servers: [url],
    weight: 0,
    logger,
  });
  for (const name of nodeNames) nodes.set(name, await startBenchNode(["names", name, url]));
  const supervisor = await caller.startClusterSupervisor({
    name: "names",
    kinds: { named: Named },
  });
  const ids = Array.from({ length: children }, (_, index) => `child-${index}`);
  for (const id of ids) await supervisor.startChild({ id, kind: "named" });
  return {
    caller,
    ids,
    nodes,
    restart: async (name, signal) => {
      await nodes.get(name)!.end(signal);
      nodes.set(name, await startBenchNode(["names", name, url]));
    },
    [Symbol.asyncDispose]: async () => {
      for (const node of nodes.values()) await node.end("SIGKILL");
      await caller.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** SIGSTOP to the first answer of the process that took the name on another node: on one nats-server. */
export async function measureFrozenNode(say: (line: string) => void): Promise<Figure[]> {
  await using cluster = await startCluster(["a", "b", "c"], 1);
  const { caller, nodes } = cluster;
  const samples: number[] = [];
  for (let freeze = 1; freeze <= freezes; freeze += 1) {
    const owner = (await caller.call("child-0", "where", [])) as string;
    const victim = nodes.get(owner)!.process;
    victim.kill("SIGSTOP");
    const fromMs = performance.now();
    await answerElsewhere(caller, owner);
    samples.push(performance.now() - fromMs);
    say(`freeze ${freeze} of ${freezes}: node ${owner}, ${Math.round(samples.at(-1)!)} ms`);
    await cluster.restart(owner, "SIGKILL"); // Its session is over, and with it that life of the node.
    while (!caller.nodes().includes(owner)) await pause(50);
  }
  const worst = Math.max(...samples);
  return [
    {
      what: "failover: SIGSTOP to first answer elsewhere, one nats-server",
      value: spread(samples),
      aim: `<= ${frozenAimMs} ms, ${worst <= frozenAimMs ? "met" : "missed"}`,
    },
  ];
}

/** Asks until another node than `owner` answers: a call to a frozen node fails, as it must. */
async function answerElsewhere(caller: ClusterNode, owner: string): Promise<void> {
  while (true) {
    try {
      if ((await caller.call("child-0", "where", [], { timeoutMs: 500 })) !== owner) return;
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
    }
  }
}

/** SIGTERM, drain, start again, for one node after the other, while callers call. */
export async function measureRollingRestart(say: (line: string) => void): Promise<Figure[]> {
  const nodeNames = ["a", "b", "c"];
  await using cluster = await startCluster(nodeNames, names);
  const { caller, ids } = cluster;
  const latenciesMs: number[] = [];
  let failed = 0;
  const state = { isOver: false };
  const work = async (index: number): Promise<void> => {
    const id = ids[index % ids.length]!;
    while (!state.isOver) {
      const fromMs = performance.now();
      try {
        await caller.call(id, "where", []);
      } catch (thrown) {
        if (!(thrown instanceof CallError)) throw thrown;
        failed += 1;
      }
      latenciesMs.push(performance.now() - fromMs);
      await pause(1);
    }
  };
  const working = Promise.all(Array.from({ length: callers }, (_, index) => work(index)));
  for (let round = 1; round <= rounds; round += 1)
    for (const name of nodeNames) {
      await pause(loadMs);
      await cluster.restart(name, "SIGTERM");
      say(
        `rolling restart ${round} of ${rounds}: node ${name}, ${latenciesMs.length} calls, ${failed} failed`,
      );
    }
  state.isOver = true;
  await working;
  const what = `rolling restart of ${nodeNames.length} nodes, ${rounds} times, under load: failed calls`;
  const longest = Math.round(percentile(latenciesMs, 1));
  const p99 = percentile(latenciesMs, 0.99).toFixed(1);
  return [
    {
      what,
      value: `${failed} of ${latenciesMs.length}; a call took p99 ${p99} ms, at most ${longest} ms`,
      aim: `0, ${failed === 0 ? "met" : "missed"}`,
    },
  ];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
