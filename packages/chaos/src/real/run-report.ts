/**
 * The report of a run with real processes.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { availableParallelism, totalmem } from "node:os";
import type { PromiseVerdict, RecoveryFigures, Report } from "../report/report.ts";
import { percentile } from "./recovery-meter.ts";
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
    recovery: recoveryOf(result),
    verdicts: verdictsOf(result),
    violations: violations.map(({ promise, message }) => `${promise}: ${message}`),
    timeline,
  };
}

function recoveryOf({ recovery }: RunResult): RecoveryFigures[] {
  return [...recovery.times()].map(([kind, took]) => ({
    kind,
    count: took.length,
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
    maxMs: took.at(-1) ?? NaN,
  }));
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

function commitOf(): string {
  const { status, stdout } = spawnSync("git", ["describe", "--always", "--dirty", "--abbrev=12"], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : "unknown";
}
