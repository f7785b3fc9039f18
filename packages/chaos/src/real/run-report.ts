/**
 * The report of a run with real processes.
 *
 * @module
 */
import { availableParallelism, totalmem } from "node:os";
import { percentile } from "@coppice/testkit";
import { gapReportMsMax } from "../checkers/gap-reports.ts";
import { commitOf } from "../commit.ts";
import type { GapReportFigures, PromiseVerdict, Report, Spread } from "../report/report.ts";
import type { RunResult } from "./run-result.ts";

/** How a run is told apart from others. */
export interface RunIdentity {
  readonly command: string;
  readonly seed: number;
  readonly startedAt: string;
}

export function runReport(result: RunResult, identity: RunIdentity): Report {
  const { durationMs, faults, skipped, totals, tallies, violations, timeline, recovery, drain } =
    result;
  return {
    ...identity,
    commit: commitOf(),
    machine: {
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    },
    durationMs,
    faults,
    skipped: Object.fromEntries(skipped),
    totals: {
      ...totals.counts(),
      drains: drain.drains,
      longestSilenceMs: Math.round(recovery.longestSilence.ms),
      ...tallies,
    },
    failures: totals.failures,
    recovery: [...recovery.times].map(([kind, took]) => ({ kind, ...spreadOf(took) })),
    gapReports: gapReportsOf(result.gapReports),
    verdicts: verdictsOf(result),
    violations: violations.map(({ promise, message }) => `${promise}: ${message}`),
    timeline,
  };
}

function gapReportsOf({ tookMs, sinceSentMs }: RunResult["gapReports"]): GapReportFigures {
  return { aimMs: gapReportMsMax, took: spreadOf(tookMs), sinceSent: spreadOf(sinceSentMs) };
}

function spreadOf(samplesMs: readonly number[]): Spread {
  return {
    count: samplesMs.length,
    p50Ms: percentile(samplesMs, 0.5),
    p99Ms: percentile(samplesMs, 0.99),
    maxMs: percentile(samplesMs, 1),
  };
}

function verdictsOf({ totals, drain, faults, broken }: RunResult): PromiseVerdict[] {
  const counted: readonly (readonly [promise: string, of: string, count: number])[] = [
    ["N1", "writes of owners", totals.ownerships],
    ["N2", "answers", totals.answered],
    ["N3", "executions", totals.executions],
    ["N4", "faults", faults.length],
    ["C1", "calls", totals.calls],
    ["C2", "executions", totals.executions],
    ["C3", "executions", totals.executions],
    ["P1", "deliveries", totals.deliveries],
    ["M1", "monitors that fired", totals.downs],
    ["M2", "monitors that fired", totals.downs],
    ["S1", "processes started", totals.processStarts],
    ["S3", "processes ended", totals.processEnds],
    ["D1", "calls while a node was drained", drain.calls],
    ["T1", "faults of clocks", faults.filter(({ kind }) => kind.startsWith("clock")).length],
    ["R1", "faults", faults.length],
  ];
  return counted.map(([promise, of, count]) => ({
    promise,
    of,
    count,
    violations: broken.get(promise) ?? 0,
  }));
}
