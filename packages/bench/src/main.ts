/**
 * `npm run bench`: every figure the documents quote. `--warm` leaves out the cold start, which takes minutes.
 *
 * @module
 */
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { measureNames } from "./cluster-names.ts";
import { measurePubSub } from "./cluster-pubsub.ts";
import { measureColdStart } from "./cold-start.ts";
import { measureComponents } from "./components.ts";
import { measureCluster } from "./failover.ts";
import { type Figure, figureTable } from "./figures.ts";
import { measureMetering } from "./metering.ts";
import { measureProcesses } from "./processes.ts";
import { measureHeartbeats } from "./heartbeats.ts";
import { measureRemoteCalls } from "./remote-calls.ts";
import { measureRestart } from "./restart.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

const figures: Figure[] = [];
if (!process.argv.includes("--warm")) {
  say("a cold start, from a clone of the last commit");
  figures.push(...(await measureColdStart(workspace)));
}
figures.push(...(await measureProcesses(say)));
say("calls between two processes, against others");
figures.push(...(await measureRemoteCalls(say)));
figures.push(...(await measureHeartbeats(say)));
say("component restarts");
figures.push(...(await measureRestart(workspace)));
say("components beside jco alone");
figures.push(...(await measureComponents(workspace)));
figures.push(...(await measureMetering(workspace, say)));
say("calls and failovers on the demo's cluster");
figures.push(...(await measureCluster(workspace, say)));
say("broadcasts");
figures.push(...(await measurePubSub()));
say("names");
figures.push(...(await measureNames()));
const memory = Math.round(totalmem() / 2 ** 30);
process.stdout.write(`${cpus().length} cores, ${memory} GiB, Node ${process.version}\n`);
process.stdout.write(`${figureTable(figures)}\n`);
process.exit(0);
