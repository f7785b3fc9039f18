/**
 * D1: no call fails while a node is drained.
 *
 * @module
 */
import type { FaultEvent, HistoryEvent, OutcomeEvent } from "../history.ts";
import type { OnViolation, StreamCheck } from "./stream-check.ts";

/** The kinds of what operators do on purpose. */
export const drainKinds: ReadonlySet<string> = new Set(["drain", "rolling_restart"]);

/** Codes of outcomes that say nothing of the drain: nobody waited for them. */
const notFailures: ReadonlySet<string> = new Set(["cast", "caller_ended"]);

/** A drain that overlaps another fault is not checked: what fails then may be the other's doing. */
export class DrainChecks implements StreamCheck {
  readonly #violate: OnViolation;
  #drain: FaultEvent | undefined;
  #othersUntilMs = -Infinity;
  /** Calls under way that began while a node was drained. */
  readonly #open = new Map<string, FaultEvent>();
  readonly failed: OutcomeEvent[] = [];
  drains = 0;
  calls = 0;

  constructor(violate: OnViolation) {
    this.#violate = violate;
  }

  take(event: HistoryEvent): void {
    switch (event.type) {
      case "fault":
        this.#faulted(event);
        break;
      case "call":
        if (this.#drain === undefined || event.atMs > this.#drain.untilMs) break;
        this.calls += 1;
        this.#open.set(event.id, this.#drain);
        break;
      case "outcome":
        this.#settled(event);
        break;
      default:
    }
  }

  #faulted(event: FaultEvent): void {
    if (!drainKinds.has(event.kind)) {
      this.#othersUntilMs = Math.max(this.#othersUntilMs, event.untilMs);
      this.#drain = undefined;
      this.#open.clear();
      return;
    }
    if (event.atMs < this.#othersUntilMs) return;
    this.#drain = event;
    this.drains += 1;
  }

  #settled(event: OutcomeEvent): void {
    const drain = this.#open.get(event.id);
    this.#open.delete(event.id);
    if (drain === undefined || event.outcome === "answer") return;
    if (event.code !== undefined && notFailures.has(event.code)) return;
    this.failed.push(event);
    this.#violate({
      promise: "D1",
      message: `call ${event.id} failed (${event.code}) at ${event.atMs} ms while ${drain.targets.join(", ")} was drained`,
      events: [drain, event],
    });
  }
}
