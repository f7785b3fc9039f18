/**
 * The calls this node has made to processes of other nodes and not had answered.
 *
 * @module
 */
import type { Outcome } from "./behaviour.ts";
import { type Caller, tellCaller } from "./caller.ts";
import type { Deadlines, Due } from "./deadlines.ts";
import type { CallFailure } from "./errors.ts";
import { failed, timedOut } from "./failures.ts";
import type { Pid } from "./pid.ts";

/** A call that waits for its answer from another node. */
export class AwayCall implements Due {
  readonly id: number;
  readonly label: string;
  readonly target: Pid;
  readonly timeoutMs: number;
  before: Due | undefined;
  after: Due | undefined;
  readonly #calls: AwayCalls;
  readonly #caller: Caller;

  constructor(
    calls: AwayCalls,
    request: {
      readonly id: number;
      readonly label: string;
      readonly target: Pid;
      readonly timeoutMs: number;
    },
    caller: Caller,
  ) {
    this.#calls = calls;
    this.id = request.id;
    this.label = request.label;
    this.target = request.target;
    this.timeoutMs = request.timeoutMs;
    this.#caller = caller;
  }

  /** Only the first time counts. */
  settle(outcome: Outcome): void {
    if (this.#calls.forget(this)) tellCaller(this.#caller, outcome);
  }

  expire(): void {
    this.settle(failed(timedOut(this.label, this.timeoutMs)));
  }
}

/** By the number this node gave them: it comes back in the reply. */
export class AwayCalls {
  readonly #deadlines: Deadlines;
  readonly #pending = new Map<number, AwayCall>();
  #ids = 0;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  get size(): number {
    return this.#pending.size;
  }

  open(
    request: { readonly label: string; readonly target: Pid; readonly timeoutMs: number },
    caller: Caller,
  ): AwayCall {
    this.#ids += 1;
    const call = new AwayCall(this, { ...request, id: this.#ids }, caller);
    this.#pending.set(call.id, call);
    if (call.timeoutMs !== Infinity) this.#deadlines.add(call);
    return call;
  }

  /** Whether it was still pending. */
  forget(call: AwayCall): boolean {
    this.#deadlines.remove(call);
    return this.#pending.delete(call.id);
  }

  /** Settles the call with this id, if it still waits. */
  settle(id: number, outcome: Outcome): void {
    this.#pending.get(id)?.settle(outcome);
  }

  /** Fails every call to a process that `isGone` accepts. */
  failAll(isGone: (target: Pid) => boolean, failure: (call: AwayCall) => CallFailure): void {
    for (const call of this.#pending.values())
      if (isGone(call.target)) call.settle(failed(failure(call)));
  }
}
