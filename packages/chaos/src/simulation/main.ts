/**
 * The command `npm run chaos:sim`: runs seeds, replays one, or shows that planted bugs are found.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { commitOf } from "../commit.ts";
import { describeFault } from "./fault-plan.ts";
import { describeRow, isAsExpected, type PlantedBug, runMutant } from "./mutant-run.ts";
import { neverReached, seedsForAllStates } from "./sometimes.ts";
import { runTwice } from "./run-twice.ts";
import { type SeedRunResult, runSeeds, shrinkFailure } from "./seed-runner.ts";
import type { Failure } from "./simulation-worker.ts";

const help = `usage: npm run chaos:sim -- [options]

  --seeds N     run N seeds (default 1000; with --mutants 3000)
  --from N      the first of them (default 1)
  --seed N      run this one seed, and say what its plan was
  --trace       with --seed: print everything that happened
  --workers N   on so many threads (default: one for each core)
  --twice       run each seed in two threads, and compare what they did
  --no-shrink   do not make a failing plan smaller
  --mutants     show how soon planted bugs are found, with at most --seeds for each
  --mutant TEXT only those whose name has this text
  --help
`;

/** The list of planted bugs is part of the tests. */
const mutantsFile = new URL("../../test/mutants/mutants.ts", import.meta.url).href;
const seedsDefault = "1000";
/** How many seeds a planted bug may take: the rarest has taken 2,143. */
const mutantSeedsDefault = "3000";
/** How many show that a bug which breaks no promise indeed breaks none. */
const equivalentSeedsMax = 400;
const failuresSaidMax = 5;
const progressEveryMs = 2_000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    workers: { type: "string", default: String(availableParallelism()) },
    twice: { type: "boolean", default: false },
    "no-shrink": { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    mutant: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`--${option} is a whole number, not ${text}`);
  return value;
}

function sayRate({ count, elapsedMs, simulatedMs, failures }: SeedRunResult): void {
  const seconds = elapsedMs / 1_000;
  const speed = Math.round(simulatedMs / Math.max(1, elapsedMs));
  const seeds = failures.slice(0, failuresSaidMax).map(({ seed }) => seed);
  const failed =
    failures.length === 0 ? "0 failed" : `${failures.length} failed: ${seeds.join(", ")}`;
  say(
    `${count} seeds in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(1)} a second, ${speed} times real time, ${failed}`,
  );
}

async function sayFailure(failure: Failure): Promise<void> {
  const { seed, plan, violations } = failure;
  say("");
  say(`FAILED seed=${seed} commit=${commitOf()} plan=${JSON.stringify(plan)}`);
  for (const { promise, message } of violations.slice(0, 5)) say(`  ${promise}: ${message}`);
  if (plan.length > 0 && !values["no-shrink"]) {
    const small = await shrinkFailure(failure);
    say("  the smallest plan that still fails:");
    for (const fault of small.plan) say(`    ${describeFault(fault)}`);
    for (const { promise, message } of small.violations.slice(0, 2))
      say(`    then ${promise}: ${message}`);
  }
  say(`  replay: npm run chaos:sim -- --seed ${seed} --trace`);
}

async function runMany(): Promise<boolean> {
  const from = whole("from", values.from);
  const count = whole("seeds", values.seeds ?? seedsDefault);
  const workers = whole("workers", values.workers);
  let saidMs = 0;
  const result = await runSeeds({
    from,
    count,
    workers,
    stopAtFailure: false,
    onProgress: (progress) => {
      if (progress.elapsedMs - saidMs < progressEveryMs) return;
      saidMs = progress.elapsedMs;
      sayRate(progress);
    },
  });
  sayRate(result);
  for (const failure of result.failures.slice(0, failuresSaidMax)) await sayFailure(failure);
  say("");
  say("reached in how many seeds:");
  for (const [state, reached] of [...result.sometimes].sort((a, b) => b[1] - a[1]))
    say(`  ${String(reached).padStart(7)}  ${state}`);
  const missing = result.count < seedsForAllStates ? [] : neverReached(result.sometimes);
  for (const state of missing) say(`NEVER REACHED, so not tested: ${state}`);
  return result.failures.length === 0 && missing.length === 0;
}

async function compareRuns(): Promise<boolean> {
  const from = whole("from", values.from);
  const workers = whole("workers", values.workers);
  const result = await runTwice({
    from,
    count: whole("seeds", values.seeds ?? seedsDefault),
    workers,
  });
  const { count, different, failures } = result;
  if (different.length === 0) say(`${count} seeds twice: identical traces`);
  else say(`${different.length} seeds left two different traces: ${different.join(", ")}`);
  for (const failure of failures.slice(0, failuresSaidMax)) await sayFailure(failure);
  return different.length === 0 && failures.length === 0;
}

async function runMutants(): Promise<boolean> {
  const { mutants } = (await import(mutantsFile)) as { readonly mutants: readonly PlantedBug[] };
  const { mutant: wanted = "" } = values;
  const most = whole("seeds", values.seeds ?? mutantSeedsDefault);
  const workers = whole("workers", values.workers);
  let isGood = true;
  for (const bug of mutants.filter(({ name }) => name.includes(wanted))) {
    const seedsMax = bug.equivalent === undefined ? most : Math.min(most, equivalentSeedsMax);
    const row = await runMutant(bug, { seedsMax, workers });
    say(describeRow(row));
    isGood &&= isAsExpected(row);
  }
  return isGood;
}

async function main(): Promise<boolean> {
  if (values.help) {
    say(help);
    return true;
  }
  if (values.mutants || values.mutant !== undefined) return runMutants();
  if (values.twice) return compareRuns();
  if (values.seed === undefined) return runMany();
  const { replay } = await import("./replay.ts");
  return replay(whole("seed", values.seed), { trace: values.trace, say });
}

process.exitCode = (await main()) ? 0 : 1;
