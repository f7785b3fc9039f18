/**
 * Nodes and the NATS server on machines of their own in a network whose cables and packets are broken.
 *
 * @module
 */
import { join } from "node:path";
import { networkNamespaces } from "./capabilities/network-namespaces.ts";
import { launchProcess, type LaunchNode } from "./node-launch.ts";
import { NatsProcess } from "./nats-process.ts";
import { type LabMachine, NetworkLab } from "./network-lab.ts";
import type { PacketFault } from "./packet-rules.ts";
import { type Strike, SuiteCluster } from "./suite-cluster.ts";
import type { Suite } from "./suite.ts";

const port = 4222;
const beyondLeaseMs = 7_000;
const nodeNames = ["n1", "n2", "n3"];

/** One fault, for a node (the busiest) or the server. */
type Step = (lab: NetworkLab, machines: ReadonlyMap<string, LabMachine>, node: string) => Strike;

const packets =
  (fault: PacketFault, lengthMs: number, moves: boolean, to?: string): Step =>
  (lab, machines, node) => {
    const target = to ?? node;
    const machine = machines.get(target)!;
    return {
      kind: fault.kind,
      targets: [target],
      make: () => lab.breakPackets(machine, fault),
      heal: () => lab.heal(machine),
      lengthMs,
      moves,
    };
  };

const portDown: Step = (lab, machines, node) => ({
  kind: "port down",
  targets: [node],
  make: () => lab.setPort(machines.get(node)!, "down"),
  heal: () => lab.setPort(machines.get(node)!, "up"),
  lengthMs: beyondLeaseMs,
  moves: true,
});

const reset: Step = (lab, machines, node) => ({
  kind: "reset",
  targets: [node],
  make: async () => {
    const count = await lab.resetConnections(machines.get(node)!);
    if (count === 0) throw new Error(`${node} had no connection that could be reset`);
  },
  lengthMs: 500,
});

/** In this order. */
const allSteps: readonly Step[] = [
  packets({ kind: "cut" }, beyondLeaseMs, true),
  packets({ kind: "deaf" }, beyondLeaseMs, true),
  packets({ kind: "mute" }, beyondLeaseMs, true),
  packets({ kind: "loss", percent: 30 }, beyondLeaseMs, false),
  packets({ kind: "refuse" }, beyondLeaseMs, true),
  portDown,
  reset,
  packets({ kind: "cut" }, 1_000, false, "nats"),
  packets({ kind: "cut" }, beyondLeaseMs, false, "nats"),
];

export const networkSuite = networkSuiteOf(allSteps);
/** Only what a few seconds allow. */
export const shortNetworkSuite = networkSuiteOf([reset, packets({ kind: "cut" }, 4_000, true)]);

function networkSuiteOf(steps: readonly Step[]): Suite {
  return {
    name: "network",
    capability: networkNamespaces,
    run: async (environment) => {
      const { folder, cleanup, natsServer } = environment;
      const lab = await NetworkLab.create({ cleanup, folder });
      const machines = new Map<string, LabMachine>();
      for (const name of ["nats", ...nodeNames]) machines.set(name, await lab.addMachine(name));
      const { address, enter } = machines.get("nats")!;
      const storeDir = join(folder, "store");
      const executable = natsServer;
      const nats = new NatsProcess({ executable, folder, storeDir, host: address, port, enter });
      await nats.start();
      cleanup.add(() => nats.kill());
      const cluster = new SuiteCluster(environment, { servers: [nats.url] });
      await cluster.watchRegistry([nats.url]);
      const launch = (name: string): LaunchNode => {
        const log = join(folder, `${name}.log`);
        return (options) => launchProcess(options, { enter: machines.get(name)!.enter, log });
      };
      await cluster.start(Object.fromEntries(nodeNames.map((name) => [name, launch(name)])));
      for (const step of steps) await cluster.strike(step(lab, machines, cluster.busiest()));
      return { strikes: cluster.results, judgement: await cluster.finish() };
    },
  };
}
