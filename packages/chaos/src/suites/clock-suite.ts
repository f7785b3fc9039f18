/**
 * Nodes whose wall clocks jump while they run.
 *
 * @module
 */
import { join } from "node:path";
import { ClockFaults } from "../real/clock-faults.ts";
import { fakeTime } from "./capabilities/fake-time.ts";
import { launchProcess, type LaunchNode } from "./node-launch.ts";
import { startLocalNats } from "./nats-process.ts";
import { SuiteCluster } from "./suite-cluster.ts";
import type { Suite } from "./suite.ts";

const nodeNames = ["n1", "n2", "n3"];
const hourSeconds = 3_600;
const jumps = [hourSeconds, -hourSeconds, 24 * hourSeconds];
const lengthMs = 4_000;

export const clockSuite: Suite = {
  name: "clocks",
  capability: fakeTime,
  run: async (environment) => {
    const { folder } = environment;
    const clocks = new ClockFaults(folder);
    const nats = await startLocalNats(environment, join(folder, "store"));
    const cluster = new SuiteCluster(environment, { servers: [nats.url] });
    await cluster.watchRegistry([nats.url]);
    const launch = (name: string): LaunchNode => {
      const log = join(folder, `${name}.log`);
      return (options) => launchProcess(options, { log, environment: clocks.environment(name, 1) });
    };
    await cluster.start(Object.fromEntries(nodeNames.map((name) => [name, launch(name)])));
    for (const seconds of jumps) {
      await cluster.untilCalm();
      const node = cluster.busiest();
      const before = cluster.registry();
      await cluster.strike({
        kind: `wall clock ${seconds > 0 ? "+" : ""}${seconds / hourSeconds} h`,
        targets: [node],
        make: () => clocks.jump(node, seconds),
        heal: () => clocks.jump(node, 0),
        lengthMs,
      });
      for (const [name, revision] of cluster.registry())
        if (before.get(name) !== revision)
          cluster.violate("T1", `${name} changed hands when the clock of ${node} jumped`);
    }
    return { strikes: cluster.results, judgement: await cluster.finish() };
  },
};
