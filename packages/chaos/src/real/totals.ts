/**
 * How much happened, counted from the stream of events.
 *
 * @module
 */
import type { HistoryEvent } from "../history.ts";
import { callerEnded } from "./life-log.ts";
import { stallKind } from "./stall-watch.ts";

export class Totals {
  calls = 0;
  answered = 0;
  /** Errors that say the body did not run. */
  failedNo = 0;
  /** Errors that say it may have run. */
  failedMaybe = 0;
  casts = 0;
  /** Calls whose caller's node ended first. */
  abandoned = 0;
  executions = 0;
  ownerships = 0;
  published = 0;
  deliveries = 0;
  /** Messages that subscribers were told they missed. */
  missed = 0;
  downs = 0;
  processStarts = 0;
  processEnds = 0;
  /** Times that the machine did not let a node run. */
  stalls = 0;
  events = 0;
  /** By the name of the error's code. */
  readonly failures: Record<string, number> = {};

  /** Each of them by its name. */
  counts(): Readonly<Record<string, number>> {
    const numbers = Object.entries(this).filter(([, value]) => typeof value === "number");
    return Object.fromEntries(numbers) as Record<string, number>;
  }

  take(event: HistoryEvent): void {
    this.events += 1;
    switch (event.type) {
      case "call":
        this.calls += 1;
        break;
      case "outcome":
        this.#outcome(event.outcome, event.code);
        break;
      case "execution":
        this.executions += 1;
        break;
      case "ownership":
        this.ownerships += 1;
        break;
      case "publish":
        this.published += 1;
        break;
      case "delivery":
        this.deliveries += 1;
        break;
      case "gap":
        this.missed += event.missed;
        break;
      case "down":
        this.downs += 1;
        break;
      case "start":
        this.processStarts += 1;
        break;
      case "end":
        this.processEnds += 1;
        break;
      case "fault":
        if (event.kind === stallKind) this.stalls += 1;
        break;
      default:
    }
  }

  #outcome(outcome: "answer" | "no" | "maybe", code: string | undefined): void {
    if (outcome === "answer") this.answered += 1;
    else if (code === "cast") this.casts += 1;
    else if (code === callerEnded) this.abandoned += 1;
    else {
      if (outcome === "no") this.failedNo += 1;
      else this.failedMaybe += 1;
      const key = `${code ?? "unknown"} (${outcome})`;
      this.failures[key] = (this.failures[key] ?? 0) + 1;
    }
  }
}
