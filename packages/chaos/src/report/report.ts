/**
 * What a run under faults has shown, as data: everything that is printed, drawn and kept of it.
 *
 * @module
 */
import type { FaultEvent } from "../history.ts";
import type { Timeline } from "./timeline.ts";

/** Where a run took place. */
export interface Machine {
  readonly cores: number;
  readonly memoryBytes: number;
  /** Such as `v26.10.0`. */
  readonly node: string;
  /** Such as `linux x64`. */
  readonly platform: string;
}

/** What was looked at for one promise. */
export interface PromiseVerdict {
  /** As in `docs/guarantees.md`. */
  readonly promise: string;
  /** What was counted, such as `calls`. */
  readonly of: string;
  readonly count: number;
  readonly violations: number;
}

/** How long something took so many times, in milliseconds. */
export interface Spread {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How long names were not served after faults of one kind. */
export interface RecoveryFigures extends Spread {
  readonly kind: string;
}

/** How soon subscribers were told that they had missed messages. */
export interface GapReportFigures {
  /** What {@link took} may be at most, in milliseconds. */
  readonly aimMs: number;
  /** From when the subscriber's node heard something that the publisher sent later. */
  readonly took: Spread;
  /** From when the first of the missing messages was sent: with the time in which nothing could arrive. */
  readonly sinceSent: Spread;
}

export interface Report {
  readonly command: string;
  readonly seed: number;
  /** Of the code that ran; `unknown` outside of a repository. */
  readonly commit: string;
  readonly machine: Machine;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly faults: readonly FaultEvent[];
  /** Kinds that could not be done there, and why. */
  readonly skipped: Readonly<Record<string, string>>;
  /** Such as `calls`, `answered`, `deliveries`. */
  readonly totals: Readonly<Record<string, number>>;
  /** Errors of calls, by code and whether the body ran. */
  readonly failures: Readonly<Record<string, number>>;
  readonly recovery: readonly RecoveryFigures[];
  readonly gapReports: GapReportFigures;
  readonly verdicts: readonly PromiseVerdict[];
  /** The first of each promise, as sentences. */
  readonly violations: readonly string[];
  readonly timeline: Timeline;
}

/**
 * What zero of `count` says: with 95 % certainty the true rate is below three in `count` (the rule of three). With
 * violations, their share.
 */
export function rateOf({ count, violations }: PromiseVerdict): string {
  if (violations > 0) return `${violations} of ${count}`;
  if (count === 0) return "nothing was seen";
  return `0 of ${count}: < ${(3 / count).toPrecision(2)} at 95 %`;
}
