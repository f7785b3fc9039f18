/**
 * Nodes that are frozen whole, that get little processor time, or that take too much memory.
 *
 * @module
 */
import { join } from "node:path";
import { controlGroups } from "./capabilities/control-groups.ts";
import type { Cleanup } from "./cleanup.ts";
import { uniqueName } from "./command.ts";
import type { ControlGroupLayout } from "./control-group-layout.ts";
import { ControlGroup, layoutHere } from "./control-groups.ts";
import { launchProcess } from "./node-launch.ts";
import { startLocalNats } from "./nats-process.ts";
import { type Strike, SuiteCluster } from "./suite-cluster.ts";
import type { Suite } from "./suite.ts";

const nodeNames = ["n1", "n2", "n3"];
const beyondLeaseMs = 7_000;
const briefMs = 1_000;
const slowMs = 10_000;
const slowPercent = 5;
/** More than a node needs for its load, less than the machine has. */
const memoryBytes = 512 << 20;
const bomb = new URL("./memory-bomb.ts", import.meta.url).href;

export const controlGroupSuite: Suite = {
  name: "cgroups",
  capability: controlGroups,
  run: async (environment) => {
    const { folder, cleanup } = environment;
    const nats = await startLocalNats(environment, join(folder, "store"));
    const groups = makeGroups(cleanup, layoutHere()!);
    const lives = new Map<string, ReturnType<typeof launchProcess>>();
    const cluster = new SuiteCluster(environment, { servers: [nats.url] });
    await cluster.watchRegistry([nats.url]);
    const launches = nodeNames.map((name) => {
      const launch = { log: join(folder, `${name}.log`), nodeArgs: [`--import=${bomb}`] };
      const begin = (options: Parameters<typeof launchProcess>[0]) => {
        const life = launchProcess(options, launch);
        groups.get(name)!.add(life.pid);
        lives.set(name, life);
        return life;
      };
      return [name, begin] as const;
    });
    await cluster.start(Object.fromEntries(launches));

    const freeze = (lengthMs: number, node: string): Strike => ({
      kind: "freeze",
      targets: [node],
      make: () => groups.get(node)!.freeze(),
      heal: () => groups.get(node)!.thaw(),
      lengthMs,
      moves: lengthMs === beyondLeaseMs,
    });
    for (const lengthMs of [briefMs, beyondLeaseMs, beyondLeaseMs])
      await cluster.strike(freeze(lengthMs, cluster.busiest()));

    const slow = cluster.busiest();
    await cluster.strike({
      kind: `${slowPercent} % of a processor`,
      targets: [slow],
      make: () => groups.get(slow)!.limitProcessor(slowPercent),
      heal: () => groups.get(slow)!.unlimitProcessor(),
      lengthMs: slowMs,
    });

    const throttled = groups.get(slow)!.timesThrottled();
    if (throttled === 0) throw new Error(`the processor limit of ${slow} had no effect`);

    const bombed = cluster.busiest();
    let how = "";
    await cluster.strike({
      kind: "memory bomb",
      targets: [bombed],
      make: async () => {
        lives.get(bombed)!.signal("SIGUSR2");
        how = await cluster.untilEnded(bombed);
      },
      heal: () => cluster.startNode(bombed),
      lengthMs: 0,
      moves: true,
    });
    if (how !== "SIGKILL") cluster.violate("R1", `the memory limit ended ${bombed} with ${how}`);
    return { strikes: cluster.results, judgement: await cluster.finish() };
  },
};

/** One for each node. */
function makeGroups(
  cleanup: Cleanup,
  layout: ControlGroupLayout,
): ReadonlyMap<string, ControlGroup> {
  const id = uniqueName();
  return new Map(
    nodeNames.map((name) => {
      const group = new ControlGroup(layout, `${id}-${name}`);
      cleanup.add(() => group.remove());
      group.limitMemory(memoryBytes);
      return [name, group];
    }),
  );
}
