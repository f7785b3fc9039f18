/**
 * A suite: what it needs of the machine, what it does, and how it is run and told of.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Capability, probe } from "./capability.ts";
import { Cleanup } from "./cleanup.ts";
import type { StrikeResult, SuiteEnvironment } from "./suite-cluster.ts";
import type { Violation } from "../history.ts";
import type { Judgement } from "./suite-history.ts";

export interface Suite {
  readonly name: string;
  readonly capability: Capability;
  readonly run: (environment: SuiteEnvironment) => Promise<SuiteOutcome>;
}

export interface SuiteOutcome {
  readonly strikes: readonly StrikeResult[];
  readonly judgement: Judgement;
  /** What was seen beyond promises and figures, a sentence each. Default: nothing. */
  readonly remarks?: readonly string[];
  /** Promises that are not made under these faults: their violations are told and count for nothing. Default: none. */
  readonly outside?: readonly string[];
}

export type SuiteResult =
  | { readonly type: "skipped"; readonly suite: string; readonly why: string }
  /** It could not be carried out, or was interrupted. */
  | { readonly type: "failed"; readonly suite: string; readonly error: unknown }
  | ({ readonly type: "ran"; readonly suite: string; readonly seconds: number } & SuiteOutcome);

export interface SuiteRunOptions {
  readonly natsServer: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Probes, runs, and takes back whatever the suite did to the machine, however it ends. */
export async function runSuite(suite: Suite, options: SuiteRunOptions): Promise<SuiteResult> {
  const { say } = options;
  const { name, capability } = suite;
  const decision = await probe(capability, say);
  if (decision.type === "skip") {
    say(`SKIPPED ${name} (no ${capability.name}): ${decision.why}`);
    return { type: "skipped", suite: name, why: decision.why };
  }
  say(`${name}:`);
  const startedMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "coppice-suite-"));
  const cleanup = new Cleanup(say);
  let result: SuiteResult;
  try {
    const outcome = await suite.run({ ...options, folder, cleanup });
    const seconds = (performance.now() - startedMs) / 1_000;
    result = { type: "ran", suite: name, seconds, ...outcome };
  } catch (error) {
    result = {
      type: "failed",
      suite: name,
      error: options.signal.aborted ? options.signal.reason : error,
    };
  } finally {
    await cleanup.run();
  }
  for (const line of linesOf(result)) say(line);
  if (isGood(result)) await rm(folder, { recursive: true, force: true });
  else say(`  logs and events: ${folder}`);
  return result;
}

/** Whether it broke no promise that counts. */
export function isGood(result: SuiteResult): boolean {
  if (result.type === "ran") return countedOf(result).length === 0;
  return result.type === "skipped";
}

function countedOf({ judgement, outside = [] }: SuiteOutcome): readonly Violation[] {
  return judgement.violations.filter(({ promise }) => !outside.includes(promise));
}

const violationsShown = 20;

function linesOf(result: SuiteResult): string[] {
  if (result.type === "skipped") return [];
  if (result.type === "failed") return [`  FAILED ${result.suite}: ${String(result.error)}`];
  const { strikes, judgement, remarks = [], outside = [], seconds, suite } = result;
  const { calls, answered, failedNo, failedMaybe, abandoned, executions } = judgement.totals;
  const counted = countedOf(result);
  const told = [...judgement.broken].filter(([promise]) => outside.includes(promise));
  const verdict = counted.length === 0 ? "no promise was broken" : `${counted.length} VIOLATIONS`;
  return [
    `  ${calls} calls: ${answered} answered, ${failedNo} failed and did not run, ${failedMaybe} failed and may have run, ${abandoned} lost their caller; ${executions} executions`,
    ...remarks.map((remark) => `  ${remark}`),
    ...told.map(([promise, count]) => `  outside what is promised: ${promise}, ${count} times`),
    ...counted
      .slice(0, violationsShown)
      .map(({ promise, message }) => `  VIOLATION ${promise}: ${message}`),
    `RAN ${suite}: ${strikes.length} faults in ${seconds.toFixed(0)} s, ${verdict}`,
  ];
}
