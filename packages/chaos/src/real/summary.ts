/**
 * The end of a run in a few lines for people.
 *
 * @module
 */
import { percentile } from "./recovery-meter.ts";
import type { RunResult } from "./run-result.ts";

const violationsShown = 20;

export function summaryOf(result: RunResult, command: string): string[] {
  const { faults, totals, drain, recovery, tallies, violations, broken, durationMs } = result;
  const kinds = Map.groupBy(faults, ({ kind }) => kind);
  const { calls, answered, failedNo, failedMaybe, casts, abandoned } = totals;
  const lines = [
    "",
    `${faults.length} faults of ${kinds.size} kinds in ${Math.round(durationMs / 1_000)} s: ${[...kinds].map(([kind, list]) => `${kind} ${list.length}`).join(", ")}`,
    `${calls} calls: ${answered} answered, ${failedNo} failed and did not run, ${failedMaybe} failed and may have run, ${casts} casts, ${abandoned} lost their caller`,
    `failures: ${listOf(totals.failures)}`,
    `${totals.executions} executions, ${totals.published} broadcasts, ${totals.deliveries} deliveries, ${totals.missed} reported missing, ${totals.downs} downs, ${totals.processStarts} processes started`,
    `drains: ${drain.drains} with ${drain.calls} calls, ${drain.failed.length} failed`,
    `counted by the nodes: ${listOf(tallies)}`,
    `longest time between two calls of one name: ${Math.round(recovery.longestSilence.ms)} ms (${recovery.longestSilence.name})`,
  ];
  for (const [kind, took] of recovery.times()) {
    const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)].map(Math.round);
    lines.push(
      `names of a node served elsewhere after ${kind}: p50 ${p50} ms, p99 ${p99} ms (${took.length})`,
    );
  }
  for (const { promise, message } of violations.slice(0, violationsShown))
    lines.push(`VIOLATION ${promise}: ${message}`);
  lines.push(
    violations.length === 0
      ? "no promise was broken"
      : `VIOLATIONS: ${listOf(Object.fromEntries(broken))}; again: ${command}`,
  );
  return lines;
}

function listOf(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  if (entries.length === 0) return "none";
  return entries.map(([name, count]) => `${name} ${count}`).join(", ");
}
