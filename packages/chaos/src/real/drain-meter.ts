/**
 * Calls while nodes were drained, and those of them that failed: there are to be none.
 *
 * @module
 */
import type { FaultEvent, HistoryEvent, OutcomeEvent } from "../history.ts";
import { callerEnded } from "./life-log.ts";

/** What operators do on purpose. */
export const drains: ReadonlySet<string> = new Set(["drain", "rolling_restart"]);

/** Takes the stream of events: a fault comes before what happened after it began. */
export class DrainMeter {
  #drain: FaultEvent | undefined;
  /** Calls under way that began while a node was drained. */
  readonly #open = new Set<string>();
  readonly failed: OutcomeEvent[] = [];
  drains = 0;
  calls = 0;

  take(event: HistoryEvent): void {
    switch (event.type) {
      case "fault":
        this.#drain = drains.has(event.kind) ? event : undefined;
        if (this.#drain !== undefined) this.drains += 1;
        break;
      case "call":
        if (this.#drain === undefined || event.atMs > this.#drain.untilMs) break;
        this.calls += 1;
        this.#open.add(event.id);
        break;
      case "outcome":
        if (!this.#open.delete(event.id) || event.outcome === "answer") break;
        if (event.code !== "cast" && event.code !== callerEnded) this.failed.push(event);
        break;
      default:
    }
  }
}
