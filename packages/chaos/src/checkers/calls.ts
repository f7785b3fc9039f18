/**
 * C1, C2 and C3: one outcome for each call, at most one execution, in the order of sending.
 *
 * @module
 */
import type { CallEvent, ExecutionEvent, HistoryEvent, OutcomeEvent } from "../history.ts";
import { type OnViolation, RecentMap, type StreamCheck } from "./stream-check.ts";

/** Of calls that have ended so many are remembered: an execution that comes later is not matched any more. */
const rememberedMax = 500_000;
/** A call that began so shortly before the end of the history may still be under way, in milliseconds. */
export const outcomeMsMaxDefault = 6_000;

/** The code of what a cast's caller knows of it. */
const castCode = "cast";

interface Call {
  readonly call: CallEvent;
  execution: ExecutionEvent | undefined;
  outcome: OutcomeEvent | undefined;
}

export class CallChecks implements StreamCheck {
  readonly #violate: OnViolation;
  readonly #open = new Map<string, Call>();
  readonly #ended = new RecentMap<string, Call>(rememberedMax);
  /** Answered, and the execution has not been seen yet: clocks of nodes differ a little. */
  readonly #unmatched = new Set<Call>();
  /** Seen before their calls, for the same reason. */
  readonly #early = new RecentMap<string, ExecutionEvent>(1_000);
  /** Callers that are gone: nobody waits for the outcomes of their calls. */
  readonly #goneCallers = new RecentMap<string, true>(rememberedMax);
  /** The number executed last, by caller, name and process. */
  readonly #executed = new RecentMap<string, ExecutionEvent & { readonly number: number }>(50_000);

  readonly #outcomeMsMax: number;
  #lastMs = 0;

  constructor(violate: OnViolation, options: { readonly outcomeMsMax?: number } = {}) {
    this.#violate = violate;
    this.#outcomeMsMax = options.outcomeMsMax ?? outcomeMsMaxDefault;
  }

  take(event: HistoryEvent): void {
    this.#lastMs = event.atMs;
    if (event.type === "call") this.#called(event);
    else if (event.type === "execution") this.#ran(event);
    else if (event.type === "outcome") this.#settled(event);
    else if (event.type === "end") this.#goneCallers.set(event.pid, true);
  }

  finish(): void {
    for (const { call } of this.#open.values()) {
      const isRecent = this.#lastMs - call.atMs <= this.#outcomeMsMax;
      if (isRecent || this.#goneCallers.has(call.caller)) continue;
      this.#violate({
        promise: "C1",
        message: `call ${call.id} of ${call.caller} to ${call.name} at ${call.atMs} ms had no outcome`,
        events: [call],
      });
    }
    for (const { call, outcome } of this.#unmatched)
      this.#violate({
        promise: "C2",
        message: `call ${call.id} was answered, and did not run`,
        events: [call, outcome!],
      });
  }

  #called(call: CallEvent): void {
    this.#open.set(call.id, { call, execution: undefined, outcome: undefined });
    const early = this.#early.get(call.id);
    if (early !== undefined) this.#ran(early);
  }

  #ran(event: ExecutionEvent): void {
    const known = this.#open.get(event.id) ?? this.#ended.get(event.id);
    if (known === undefined) return this.#early.set(event.id, event);
    const { call, execution, outcome } = known;
    if (execution !== undefined)
      this.#violate({
        promise: "C2",
        message: `call ${event.id} ran twice: by ${execution.pid} and by ${event.pid}`,
        events: [call, execution, event],
      });
    known.execution = event;
    this.#unmatched.delete(known);
    if (outcome?.outcome === "no") this.#ranThough(known);
    if (outcome?.code !== castCode) this.#inOrder(event, call); // Only calls have an order.
  }

  #ranThough({ call, execution, outcome }: Call): void {
    this.#violate({
      promise: "C2",
      message: `call ${call.id} ran, and its error (${outcome!.code}) says that it did not`,
      events: [call, execution!, outcome!],
    });
  }

  #inOrder(event: ExecutionEvent, { caller, name, number }: CallEvent): void {
    const key = `${caller} ${name} ${event.pid}`;
    const last = this.#executed.get(key);
    if (last !== undefined && last.number >= number)
      this.#violate({
        promise: "C3",
        message: `${event.pid} ran call ${number} of ${caller} to ${name} after call ${last.number}`,
        events: [last, event],
      });
    this.#executed.set(key, { ...event, number });
  }

  #settled(event: OutcomeEvent): void {
    const known = this.#open.get(event.id);
    if (known === undefined) {
      const events = [this.#ended.get(event.id)?.outcome, event].filter(
        (each) => each !== undefined,
      );
      this.#violate({ promise: "C1", message: `call ${event.id} had a second outcome`, events });
      return;
    }
    this.#open.delete(event.id);
    this.#ended.set(event.id, known);
    known.outcome = event;
    if (event.outcome === "no" && known.execution !== undefined) this.#ranThough(known);
    if (event.outcome === "answer" && known.execution === undefined) this.#unmatched.add(known);
  }
}
