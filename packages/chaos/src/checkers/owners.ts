/**
 * N1, N2 and N3: one process for each epoch of a name, no answer and no execution of one that was replaced.
 *
 * @module
 */
import type { CallEvent, ExecutionEvent, HistoryEvent, OutcomeEvent } from "../history.ts";
import { type OnViolation, RecentMap, type StreamCheck } from "./stream-check.ts";

/** The clocks of two nodes agree to this in the history, in milliseconds: a node of another rate measures its start. */
const clockMsMax = 5;
const rememberedMax = 10_000;

export class OwnerChecks implements StreamCheck {
  readonly #violate: OnViolation;
  /** By name and epoch. */
  readonly #pids = new RecentMap<string, ExecutionEvent>(rememberedMax);
  /** The first execution of the latest owner, by name. */
  readonly #current = new Map<string, ExecutionEvent>();
  /** The latest revision, by name. */
  readonly #revisions = new Map<string, number>();
  readonly #calls = new Map<string, CallEvent>();
  /** The latest answer, by receiving node's life and name. */
  readonly #answers = new RecentMap<string, OutcomeEvent>(rememberedMax);

  constructor(violate: OnViolation) {
    this.#violate = violate;
  }

  take(event: HistoryEvent): void {
    switch (event.type) {
      case "execution":
        this.#ran(event);
        break;
      case "call":
        this.#calls.set(event.id, event);
        break;
      case "outcome":
        this.#answered(event);
        break;
      case "ownership":
        if (event.revision <= (this.#revisions.get(event.name) ?? 0))
          this.#violate({
            promise: "N1",
            message: `the epoch of ${event.name} went back to ${event.revision}`,
            events: [event],
          });
        this.#revisions.set(event.name, event.revision);
        break;
      default:
    }
  }

  #ran(event: ExecutionEvent): void {
    const { name, epoch, pid, atMs } = event;
    const key = `${name} ${epoch}`;
    const other = this.#pids.get(key);
    if (other !== undefined && other.pid !== pid)
      this.#violate({
        promise: "N1",
        message: `${name} had two owners in epoch ${epoch}: ${other.pid} and ${pid}`,
        events: [other, event],
      });
    this.#pids.set(key, event);
    const current = this.#current.get(name);
    if (current === undefined || epoch > current.epoch) this.#current.set(name, event);
    else if (current.pid !== pid && atMs > current.atMs + clockMsMax)
      this.#violate({
        promise: "N3",
        message: `${pid} (epoch ${epoch}) ran a call to ${name} ${(atMs - current.atMs).toFixed(1)} ms after its successor ${current.pid} (epoch ${current.epoch}) had begun`,
        events: [current, event],
      });
  }

  #answered(event: OutcomeEvent): void {
    const call = this.#calls.get(event.id);
    this.#calls.delete(event.id);
    if (call === undefined || event.outcome !== "answer" || event.epoch === undefined) return;
    const key = `${call.caller} ${call.name}`;
    const last = this.#answers.get(key);
    if (last !== undefined && last.epoch! > event.epoch)
      this.#violate({
        promise: "N2",
        message: `${call.caller} accepted an answer of ${call.name} of epoch ${event.epoch} after one of ${last.epoch}`,
        events: [last, event],
      });
    else this.#answers.set(key, event);
  }
}
