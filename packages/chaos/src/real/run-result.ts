/**
 * What a run has shown.
 *
 * @module
 */
import type { FaultEvent, Violation } from "../history.ts";
import type { DrainChecks } from "../checkers/drains.ts";
import type { GapReportChecks } from "../checkers/gap-reports.ts";
import type { RecoveryMeter } from "./recovery-meter.ts";
import type { Timeline } from "../report/timeline.ts";
import type { Totals } from "./totals.ts";

export interface RunResult {
  readonly durationMs: number;
  readonly faults: readonly FaultEvent[];
  /** Kinds that this machine or this run cannot do, and why. */
  readonly skipped: ReadonlyMap<string, string>;
  readonly totals: Totals;
  readonly timeline: Timeline;
  readonly recovery: RecoveryMeter;
  readonly drain: DrainChecks;
  readonly gapReports: GapReportChecks;
  /** What the nodes counted themselves. */
  readonly tallies: Readonly<Record<string, number>>;
  /** With their events; of each promise the first hundred. */
  readonly violations: readonly Violation[];
  /** Of each promise that was broken, how often. */
  readonly broken: ReadonlyMap<string, number>;
}
