/**
 * The power of the NATS server's disk is cut: what it had acknowledged and not flushed is gone.
 *
 * This is outside the fault model of `docs/guarantees.md`; the suite says what happens then.
 *
 * @module
 */
import { join } from "node:path";
import { powerCut } from "./capabilities/power-cut.ts";
import { LoopDisk } from "./loop-disk.ts";
import { launchProcess, type LaunchNode } from "./node-launch.ts";
import { startLocalNats } from "./nats-process.ts";
import { SuiteCluster } from "./suite-cluster.ts";
import type { Suite } from "./suite.ts";

const nodeNames = ["n1", "n2", "n3"];
const beyondLeaseMs = 6_000;
/** Epochs come from the registry: they go back with it. What one receiver accepts must not, even so. */
const outside = ["N1", "N3"];

export const powerCutSuite: Suite = {
  name: "power",
  capability: powerCut,
  run: async (environment) => {
    const { folder, cleanup } = environment;
    const image = join(folder, "disk");
    const disk = await LoopDisk.create({ cleanup, image, folder: join(folder, "mounted") });
    const nats = await startLocalNats(environment, join(disk.folder, "store"));
    const cluster = new SuiteCluster(environment, { servers: [nats.url] });
    await cluster.watchRegistry([nats.url]);
    const launch = (name: string): LaunchNode => {
      const log = join(folder, `${name}.log`);
      return (options) => launchProcess(options, { log });
    };
    await cluster.start(Object.fromEntries(nodeNames.map((name) => [name, launch(name)])));
    await disk.flush();
    // From here on names change hands, and none of it is on the disk for sure.
    const killed = cluster.busiest();
    await cluster.strike({
      kind: "kill",
      targets: [killed],
      make: () => cluster.killNode(killed),
      heal: () => cluster.startNode(killed),
      lengthMs: beyondLeaseMs,
      moves: true,
    });
    const before = cluster.registry();
    const cut = await cluster.strike({
      kind: "power cut",
      targets: ["nats"],
      make: async () => {
        await disk.cutPower();
        await nats.kill();
        await disk.unmount();
      },
      heal: async () => {
        await disk.mount();
        await nats.start();
      },
      lengthMs: 0,
      recovers: false,
    });
    // Whoever watched the registry before may be told nothing more: this is what a newcomer is told.
    await cluster.watchRegistry([nats.url]);
    const ended = nodeNames.filter((node) => !cluster.isRunning(node));
    const remarks = [
      regressionOf(before, cluster.registry()),
      `${ended.length} of ${nodeNames.length} nodes noticed it and ended`,
    ];
    if (cut.recoveredMs === undefined)
      await cluster.strike({
        kind: "restart of every node",
        targets: nodeNames,
        make: () => Promise.all(nodeNames.map((node) => cluster.killNode(node))),
        heal: () => Promise.all(nodeNames.map((node) => cluster.startNode(node))),
        lengthMs: 0,
      });
    const judgement = await cluster.finish();
    return { strikes: cluster.results, judgement, remarks, outside };
  },
};

/** What became of the registry: the latest revision of each name before and after. */
function regressionOf(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): string {
  const lower = [...before].filter(([name, revision]) => (after.get(name) ?? 0) < revision);
  const [first] = lower;
  if (first === undefined) return "no name went back to an earlier epoch";
  const [name, revision] = first;
  return `${lower.length} of ${before.size} names went back to an earlier epoch (${name}: ${revision} to ${after.get(name)})`;
}
