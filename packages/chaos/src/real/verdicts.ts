/**
 * The checks of the promises, fed with the stream of events, and what they have found.
 *
 * @module
 */
import type { HistoryEvent, Violation } from "../history.ts";
import { allChecks } from "../checkers/check-history.ts";
import { DrainChecks } from "../checkers/drains.ts";
import { GapReportChecks } from "../checkers/gap-reports.ts";
import type { StreamCheck } from "../checkers/stream-check.ts";

/** Of one promise so many are kept with their events: the rest are counted. */
const keptMax = 100;

export class Verdicts {
  readonly #checks: readonly StreamCheck[];
  readonly #counts = new Map<string, number>();
  readonly #onViolation: (violation: Violation) => void;
  readonly violations: Violation[] = [];
  readonly drain: DrainChecks;
  readonly gapReports: GapReportChecks;

  constructor(onViolation: (violation: Violation) => void) {
    this.#onViolation = onViolation;
    const violate = this.violate.bind(this);
    this.#checks = allChecks(violate, { clockJumps: true });
    this.drain = this.#checks.find((check) => check instanceof DrainChecks)!;
    this.gapReports = this.#checks.find((check) => check instanceof GapReportChecks)!;
  }

  /** Of each promise that was broken, how often. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  violate(violation: Violation): void {
    const { promise } = violation;
    const count = (this.#counts.get(promise) ?? 0) + 1;
    this.#counts.set(promise, count);
    if (count > keptMax) return;
    this.violations.push(violation);
    this.#onViolation(violation);
  }

  take(event: HistoryEvent): void {
    for (const check of this.#checks) check.take(event);
  }

  finish(): void {
    for (const check of this.#checks) check.finish?.();
  }
}
