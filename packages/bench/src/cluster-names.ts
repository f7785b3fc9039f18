/**
 * Names: how soon those of a killed node are all owned again, and what a look-up costs among many.
 *
 * @module
 */
import { type ClusterNode, GenServer, startNode } from "coppice";
import { startBenchNode, startBenchServer } from "./cluster-nats.ts";
import { type Figure, ms } from "./figures.ts";

/** About a third of them is on the node that is killed. */
const children = 3_000;
const manyNames = 100_000;
const lookUps = 1_000_000;
const inFlight = 128;
const takeoverAimMs = 3_000;
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

class Named extends GenServer {
  where(): string {
    return this.self.pid.node;
  }
}

export async function measureNames(): Promise<Figure[]> {
  await using server = await startBenchServer();
  await using node = await startNode({
    name: "a",
    cluster: "bench",
    servers: [server.url],
    logger,
  });
  return [await measureTakeover(node, server.url), ...(await measureLookUps(node))];
}

async function measureTakeover(node: ClusterNode, url: string): Promise<Figure> {
  const victim = await startBenchNode(["names", "b", url]);
  const other = await startBenchNode(["names", "c", url]);
  try {
    const supervisor = await node.startClusterSupervisor({
      name: "names",
      kinds: { named: Named },
    });
    const ids = Array.from({ length: children }, (_, index) => `child-${index}`);
    await each(ids, (id) => supervisor.startChild({ id, kind: "named" }, { timeoutMs: 60_000 }));
    const lost = supervisor.whichChildren().filter((row) => row.node === "b").length;
    await victim.end("SIGKILL");
    const fromMs = performance.now();
    const isOwned = (): boolean =>
      node.names().every(({ owner, pid }) => owner.node !== "b" && pid !== undefined);
    while (!isOwned()) await new Promise((resolve) => setTimeout(resolve, 10));
    const tookMs = performance.now() - fromMs;
    await each(ids, (id) => supervisor.terminateChild(id, { timeoutMs: 60_000 }));
    return {
      what: `names: ${lost} on a killed node, until all are owned again`,
      value: ms(tookMs),
      aim: `<= ${takeoverAimMs} ms for 1,000, ${tookMs <= takeoverAimMs ? "met" : "missed"}`,
    };
  } finally {
    await other.end("SIGTERM");
  }
}

async function measureLookUps(node: ClusterNode): Promise<Figure[]> {
  const pid = node.kernel.spawn({ handle: () => {} });
  const names = Array.from({ length: manyNames }, (_, index) => `name-${index}`);
  const fromMs = performance.now();
  await each(names, (name) => node.register(name, pid));
  const registeredMs = performance.now() - fromMs;
  const startMs = performance.now();
  for (let count = 0; count < lookUps; count += 1) node.whereis(names[count % manyNames]!);
  const nanoseconds = ((performance.now() - startMs) / lookUps) * 1e6;
  const rate = Math.round(manyNames / (registeredMs / 1_000));
  return [
    { what: `names: registered a second, up to ${manyNames}`, value: String(rate) },
    { what: `names: a look-up among ${manyNames}`, value: `${Math.round(nanoseconds)} ns` },
  ];
}

/** Runs for every item, so many at a time. */
async function each<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items.values();
  const work = async (): Promise<void> => {
    for (const item of waiting) await run(item);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}
