/**
 * Who waits for the answer of a call: the two ends of its promise.
 *
 * @module
 */
import type { Outcome } from "./behaviour.ts";
import { CallError } from "./errors.ts";

export interface Caller {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Settles the caller's promise: a value, or a `CallError`. */
export function tellCaller({ resolve, reject }: Caller, outcome: Outcome): void {
  if (outcome.ok) resolve(outcome.value);
  else reject(new CallError(outcome.failure));
}
