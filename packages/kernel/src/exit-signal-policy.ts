/**
 * What an exit signal does to the process that receives it: a pure decision (A2).
 *
 * @module
 */
import { type ExitReason, killed } from "./exit-reason.ts";

/** An exit signal as it meets its receiver. */
export interface ArrivingExit {
  readonly reason: ExitReason;
  /** A link broke, rather than somebody sending the signal. */
  readonly linked: boolean;
  /** The receiver sent it to itself. */
  readonly fromSelf: boolean;
  readonly trapExit: boolean;
}

/** It ends, it gets a message, or nothing happens. */
export type ExitDecision =
  | { readonly type: "end"; readonly reason: ExitReason }
  | { readonly type: "message" }
  | { readonly type: "ignore" };

export function decideExit({ reason, linked, fromSelf, trapExit }: ArrivingExit): ExitDecision {
  // `kill` cannot be trapped, and peers see `killed`; through a link it is a reason like any other (A1.3, A1.4).
  if (reason.type === "kill" && !linked) return { type: "end", reason: killed };
  if (trapExit) return { type: "message" };
  if (reason.type === "normal" && !fromSelf) return { type: "ignore" };
  return { type: "end", reason };
}
