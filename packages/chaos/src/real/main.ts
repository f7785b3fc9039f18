/**
 * `npm run chaos`: a run with real processes, and its report.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureNatsServer, installPackage } from "@coppice/cli";
import { silentLogger, systemClock, systemRandom } from "@coppice/kernel";
import { buildTextComponent } from "@coppice/component";
import { reportText } from "../report/report-text.ts";
import { writeReport } from "../report/write-report.ts";
import { ClockFaults } from "./clock-faults.ts";
import { commandOf, parseRunOptions, type RunOptions, usage } from "./run-options.ts";
import type { RunResult } from "./run-result.ts";
import { runChaos } from "./runner.ts";
import { runReport } from "./run-report.ts";

const guestSource = fileURLToPath(new URL("../../guest/hazards.wat", import.meta.url));
const cacheDir = fileURLToPath(new URL("../../../../.cache/components", import.meta.url));

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What the clocks' faults need. Without it they are skipped. */
async function ensureFakeTime(folder: string): Promise<void> {
  if (new ClockFaults(folder).unavailable === undefined) return;
  await installPackage("libfaketime", say).catch((thrown: Error) => say(thrown.message));
}

async function run(options: RunOptions, folder: string): Promise<RunResult> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => interrupted.abort());
  await ensureFakeTime(folder);
  return runChaos({
    options,
    folder,
    natsServer: await ensureNatsServer(say),
    component: await buildTextComponent({ source: guestSource, cacheDir, logger: silentLogger }),
    cacheDir,
    say,
    signal: interrupted.signal,
  });
}

async function main(): Promise<number> {
  let options: RunOptions;
  try {
    options = parseRunOptions(process.argv.slice(2), systemRandom.u32);
  } catch (thrown) {
    process.stderr.write(`chaos: ${(thrown as Error).message}\n\n${usage}\n`);
    return 2;
  }
  const command = commandOf(options);
  const folder = await mkdtemp(join(tmpdir(), "coppice-chaos-"));
  say(`seed ${options.seed}; again: ${command}`);
  const startedAt = new Date(systemClock.wall()).toISOString();
  const result = await run(options, folder);
  const report = runReport(result, { command, seed: options.seed, startedAt });
  say(`\n${reportText(report)}`);
  say(`report: ${(await writeReport(options.report, report)).join(", ")}`);
  const hasFailed = result.violations.length > 0;
  if (hasFailed || options.keep) say(`logs and events: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
  return hasFailed ? 1 : 0;
}

process.exit(await main());
