/**
 * `npm run bench`: every figure the documents quote, or some parts of them: `npm run bench -- failover names`.
 *
 * @module
 */
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { measureFrozenNode, measureRollingRestart } from "./cluster-faults.ts";
import { measureNames } from "./cluster-names.ts";
import { measurePubSub } from "./cluster-pubsub.ts";
import { measureColdStart } from "./cold-start.ts";
import { measureComponents } from "./components.ts";
import { measureCluster } from "./failover.ts";
import { type Figure, figureTable } from "./figures.ts";
import { measureHeartbeats } from "./heartbeats.ts";
import { measureMetering } from "./metering.ts";
import { measureProcesses } from "./processes.ts";
import { measureRemoteCalls } from "./remote-calls.ts";
import { measureRestart } from "./restart.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));

type Say = (line: string) => void;

/** In the order in which they run. */
const parts: Readonly<Record<string, (say: Say) => Promise<readonly Figure[]>>> = {
  "cold-start": () => measureColdStart(workspace),
  processes: measureProcesses,
  "remote-calls": measureRemoteCalls,
  heartbeats: measureHeartbeats,
  restart: () => measureRestart(workspace),
  components: () => measureComponents(workspace),
  metering: (say) => measureMetering(workspace, say),
  failover: (say) => measureCluster(workspace, say),
  frozen: measureFrozenNode,
  rolling: measureRollingRestart,
  pubsub: measurePubSub,
  names: measureNames,
};
/** It takes minutes, and measures the last commit: only when it is asked for, or with everything. */
const coldPart = "cold-start";

const usage = `usage: npm run bench -- [--warm] [part...]
parts: ${Object.keys(parts).join(", ")}; without any, all of them; with --warm, without ${coldPart}`;

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

function chosenParts(args: readonly string[]): readonly string[] {
  const unknown = args.find((arg) => arg !== "--warm" && !Object.hasOwn(parts, arg));
  if (unknown !== undefined) {
    process.stderr.write(`bench: there is no part ${unknown}\n${usage}\n`);
    process.exit(2);
  }
  const named = args.filter((arg) => arg !== "--warm");
  if (named.length > 0) return Object.keys(parts).filter((part) => named.includes(part));
  return Object.keys(parts).filter((part) => part !== coldPart || !args.includes("--warm"));
}

const memory = Math.round(totalmem() / 2 ** 30);
process.stdout.write(`${cpus().length} cores, ${memory} GiB, Node ${process.version}\n`);
const failed: string[] = [];
for (const part of chosenParts(process.argv.slice(2))) {
  say(part);
  try {
    const figures = await parts[part]!(say);
    if (figures.length > 0) process.stdout.write(`${figureTable(figures)}\n`);
  } catch (thrown) {
    // The parts have nothing to do with each other: the others are worth having.
    failed.push(part);
    say(`${part} failed: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
  }
}
if (failed.length > 0)
  say(`failed: ${failed.join(", ")}; try again with npm run bench -- ${failed.join(" ")}`);
process.exit(failed.length > 0 ? 1 : 0);
