/**
 * The calls a node has made and not had answered.
 *
 * @module
 */
import type { Outcome } from "./behaviour.ts";
import type { Clock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";
import type { CallFailure } from "./errors.ts";
import type { Pid } from "./pid.ts";

/** A call that waits for its answer. */
export interface PendingCall {
  readonly id: number;
  readonly label: string;
  readonly target: Pid;
  readonly promise: Promise<Outcome>;
  /** Settles it; only the first time counts. */
  readonly settle: (outcome: Outcome) => void;
}

/** Pending calls by id. */
export class Calls {
  readonly #deadlines: Deadlines;
  readonly #pending = new Map<number, PendingCall>();
  #ids = 0;

  constructor(clock: Clock) {
    this.#deadlines = new Deadlines(clock);
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Opens a call that settles by itself with `timeout` after `timeoutMs` milliseconds. */
  open(options: {
    readonly label: string;
    readonly target: Pid;
    readonly timeoutMs: number;
  }): PendingCall {
    const { label, target, timeoutMs } = options;
    this.#ids += 1;
    const id = this.#ids;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const deadline = this.#deadlines.add(timeoutMs, () => {
      this.settle(id, { ok: false, failure: timedOut(label, timeoutMs) });
    });
    const settle = (outcome: Outcome): void => {
      if (!this.#pending.delete(id)) return;
      this.#deadlines.cancel(deadline);
      resolve(outcome);
    };
    const call: PendingCall = { id, label, target, promise, settle };
    this.#pending.set(id, call);
    return call;
  }

  /** Settles the call with this id, if it still waits. */
  settle(id: number, outcome: Outcome): void {
    this.#pending.get(id)?.settle(outcome);
  }

  /** Fails every call to a process that `isGone` accepts. */
  failAll(isGone: (target: Pid) => boolean, failure: (call: PendingCall) => CallFailure): void {
    for (const call of this.#pending.values())
      if (isGone(call.target)) call.settle({ ok: false, failure: failure(call) });
  }
}

function timedOut(label: string, timeoutMs: number): CallFailure {
  const message = `${label}: no answer within ${timeoutMs} ms; it may still be handled`;
  return { code: "timeout", executed: "maybe", message };
}
