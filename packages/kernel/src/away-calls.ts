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
    id: number,
    request: { readonly label: string; readonly target: Pid; readonly timeoutMs: number },
    caller: Caller,
  ) {
    this.#calls = calls;
    this.id = id;
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

/** How many calls there is room for at first. A power of two, as the room always is. */
const roomFirst = 256;

/**
 * By the number this node gave them: it comes back in the reply.
 *
 * The number's lowest bits are the call's place in an array, which costs less than a map. At most half of the places are
 * taken, so that a free one is near.
 */
export class AwayCalls {
  readonly #deadlines: Deadlines;
  #places: (AwayCall | undefined)[] = Array.from({ length: roomFirst });
  #size = 0;
  #lastId = 0;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  get size(): number {
    return this.#size;
  }

  open(
    request: { readonly label: string; readonly target: Pid; readonly timeoutMs: number },
    caller: Caller,
  ): AwayCall {
    if (this.#size * 2 >= this.#places.length) this.#grow();
    const id = this.#freeId();
    const call = new AwayCall(this, id, request, caller);
    this.#places[this.#placeOf(id)] = call;
    this.#size += 1;
    if (call.timeoutMs !== Infinity) this.#deadlines.add(call);
    return call;
  }

  /** Whether it was still pending. */
  forget(call: AwayCall): boolean {
    this.#deadlines.remove(call);
    const place = this.#placeOf(call.id);
    if (this.#places[place] !== call) return false;
    this.#places[place] = undefined;
    this.#size -= 1;
    return true;
  }

  /** Settles the call with this id, if it still waits. */
  settle(id: number, outcome: Outcome): void {
    const call = this.#places[this.#placeOf(id)];
    if (call?.id === id) call.settle(outcome);
  }

  /** Fails every call to a process that `isGone` accepts. */
  failAll(isGone: (target: Pid) => boolean, failure: (call: AwayCall) => CallFailure): void {
    for (const call of this.#inOrder()) if (isGone(call.target)) call.settle(failed(failure(call)));
  }

  #inOrder(): AwayCall[] {
    return this.#places.filter((call) => call !== undefined).toSorted((a, b) => a.id - b.id);
  }

  /** Numbers only grow: a late reply must not find another call. */
  #freeId(): number {
    do this.#lastId += 1;
    while (this.#places[this.#placeOf(this.#lastId)] !== undefined);
    return this.#lastId;
  }

  /** Two calls never share a place: numbers that differ in their low bits do so in one more of them. */
  #grow(): void {
    const calls = this.#inOrder();
    this.#places = Array.from({ length: this.#places.length * 2 });
    for (const call of calls) this.#places[this.#placeOf(call.id)] = call;
  }

  /** Not a bit operation: numbers may exceed 32 bits. */
  #placeOf(id: number): number {
    return id % this.#places.length;
  }
}
