/**
 * The checks of the promises, fed with the stream of events.
 *
 * @module
 */
import type { HistoryEvent, Violation } from "../history.ts";

export class Verdicts {
  readonly violations: Violation[] = [];

  take(_event: HistoryEvent): void {}

  finish(): void {}
}
