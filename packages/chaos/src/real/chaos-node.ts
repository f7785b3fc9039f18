/**
 * The program of one node of a run: the real product under load, writing down what happens.
 *
 * It takes lines on stdin (`quiet`, `census`, `kill NAME`, `guest trap`) and drains and stops on SIGTERM.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { kill, systemRandom } from "@coppice/kernel";
import type { ClusterNode } from "@coppice/cluster";
import { startNode } from "@coppice/cli";
import { EventLog } from "./event-log.ts";
import { harnessTime, harnessTimeAtRate } from "./harness-time.ts";
import { type ChaosNodeOptions, deposedStatus, parseNodeOptions } from "./node-options.ts";
import { watchForStalls } from "./stall-watch.ts";
import { callsWorkload } from "./workloads/calls.ts";
import { crashersWorkload } from "./workloads/crashers.ts";
import { type GuestWorkload, guestWorkload, type Misdeed } from "./workloads/guest.ts";
import { monitorsWorkload } from "./workloads/monitors.ts";
import { namesWorkload } from "./workloads/names.ts";
import { topicsWorkload } from "./workloads/topics.ts";
import type { Workload, WorkloadContext } from "./workloads/workload.ts";

const tallyEveryMs = 1_000;
/** How often a node that finds no server tries again, in milliseconds. */
const joinRetryMs = 500;
/** The restarts of children are the workload: they never add up to a failure of the node. */
const maxRestarts = 1_000_000;

const options = parseNodeOptions(process.argv.slice(2));
const { clockRate, uptimeLagMs } = options;
const now = clockRate === 1 ? harnessTime() : harnessTimeAtRate(clockRate, uptimeLagMs);
const { history: folder, name, life } = options;
const log = new EventLog({ folder, node: name, life, now });
const node = await join(options);
const context: WorkloadContext = { node, log, random: systemRandom, life: `${name}/${life}` };
const guest =
  options.component === undefined
    ? undefined
    : guestWorkload(context, { path: options.component, cacheDir: options.cacheDir });
const workloads: readonly Workload[] = [
  namesWorkload(context),
  callsWorkload(context, options.callsPerSecond),
  topicsWorkload(context, options.broadcastsPerSecond),
  monitorsWorkload(context),
  crashersWorkload(context),
  ...(guest === undefined ? [] : [guest]),
];
const children = workloads.flatMap(({ children: own = [] }) => own);
await node.start({ strategy: "one_for_one", maxRestarts, maxSeconds: 1, children });
for (const { start } of workloads) await start?.();
setInterval(recordTally, tallyEveryMs);
watchForStalls(name, log);
listen(guest);
process.stdout.write(`${JSON.stringify({ event: "ready", node: name, life })}\n`);

/** A node that starts while the network is down is started again by whoever supervises it: here, by itself. */
async function join({ servers, cluster, replicas }: ChaosNodeOptions): Promise<ClusterNode> {
  for (;;) {
    try {
      return await startNode({ name, cluster, servers, replicas, onFailure });
    } catch (thrown) {
      process.stderr.write(`${name} could not join: ${String(thrown)}\n`);
      await new Promise((resolve) => setTimeout(resolve, joinRetryMs));
    }
  }
}

/** This life of the node is over: another is for whoever started the program. */
function onFailure(error: Error): void {
  const { code } = error as { readonly code?: unknown };
  process.stderr.write(`${name} ends: ${error.message}\n`);
  process.exit(code === "node_deposed" ? deposedStatus : 1);
}

function recordTally(): void {
  const counts = Object.assign({}, ...workloads.map(({ counts: own }) => own?.() ?? {}));
  log.record({ type: "tally", counts: counts as Readonly<Record<string, number>> });
}

function recordCensus(): void {
  const resources = process.getActiveResourcesInfo();
  const counts = {
    processes: node.kernel.processes().length,
    timers: resources.filter((resource) => resource === "Timeout").length,
    subscriptions: node.pubsub.size,
    names: node.names().filter(({ owner }) => owner.incarnation === node.address.incarnation)
      .length,
    rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
  log.record({ type: "census", node: name, counts });
}

async function quiet(): Promise<void> {
  await Promise.all(workloads.map(async ({ stop }) => stop?.()));
}

function killProcess(target: string): void {
  const pid = node.whereis(target);
  if (pid !== undefined) node.kernel.exit(pid, kill);
}

function listen(misbehaving: GuestWorkload | undefined): void {
  const lines = createInterface({ input: process.stdin });
  if (options.isAttached === true) lines.on("close", () => process.exit(1));
  lines.on("line", (line) => {
    const [command, argument] = line.split(" ");
    if (command === "quiet") void quiet();
    else if (command === "census") recordCensus();
    else if (command === "kill") killProcess(argument ?? "");
    else if (command === "guest") misbehaving?.misbehave(argument as Misdeed);
    else process.stderr.write(`${name} does not know the command ${line}\n`);
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop());
}

async function stop(): Promise<void> {
  await quiet(); // What this node asked for itself is not to fail because it leaves.
  recordTally();
  await node.stop();
  process.exit(0);
}
