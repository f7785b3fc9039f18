/**
 * All checks of the promises together: over a history that is there, or over events as they come.
 *
 * @module
 */
import type { History, Violation } from "../history.ts";
import { CallChecks } from "./calls.ts";
import { ClockChecks } from "./clocks.ts";
import { DrainChecks } from "./drains.ts";
import { GapReportChecks } from "./gap-reports.ts";
import { MonitorChecks } from "./monitors.ts";
import { OwnerChecks } from "./owners.ts";
import type { OnViolation, StreamCheck } from "./stream-check.ts";
import { type Intensity, SupervisorChecks } from "./supervisors.ts";
import { TopicChecks } from "./topics.ts";

/** What the checks know of the run. */
export interface CheckOptions {
  /** Of supervisors whose restarts are checked, by their label in the events. Default: none. */
  readonly intensities?: Readonly<Record<string, Intensity>>;
  /** Default: 4,300 ms, 1.1 leases of 3 s and 1 s. */
  readonly downMsMax?: number;
  /** Whether jumps of wall clocks are looked at: only where nothing but a fault makes a call fail. Default: false. */
  readonly clockJumps?: boolean;
  /** How long a call may be without an outcome at the end. Default: 6,000 ms. */
  readonly outcomeMsMax?: number;
}

/** One check for each promise; {@link CheckOptions} say what they cannot see in the events. */
export function allChecks(violate: OnViolation, options: CheckOptions = {}): StreamCheck[] {
  return [
    new OwnerChecks(violate),
    new CallChecks(violate, options),
    new TopicChecks(violate),
    new GapReportChecks(violate),
    new MonitorChecks(violate, options),
    new SupervisorChecks(violate, options),
    new DrainChecks(violate),
    ...(options.clockJumps === true ? [new ClockChecks(violate)] : []),
  ];
}

/** Every breach of a promise in a history, in the order in which they were seen; none if it keeps them all. */
export function checkHistory(history: History, options: CheckOptions = {}): Violation[] {
  const violations: Violation[] = [];
  const checks = allChecks((violation) => void violations.push(violation), options);
  for (const event of history) for (const check of checks) check.take(event);
  for (const check of checks) check.finish?.();
  return violations;
}
