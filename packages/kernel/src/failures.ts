/**
 * The ways a call fails that the kernel itself decides, as data.
 *
 * @module
 */
import type { Outcome } from "./behaviour.ts";
import { CallError, type CallFailure } from "./errors.ts";
import { describeReason, errorData, type ExitReason } from "./exit-reason.ts";
import type { OpenCall } from "./open-call.ts";
import type { Process } from "./process.ts";

export function failed(failure: CallFailure): Outcome {
  return { ok: false, failure };
}

/** A call that never left its caller. */
export function refused(code: "noproc" | "calling_self", message: string): CallError {
  return new CallError({ code, executed: "no", message });
}

export function noProcess(label: string): CallFailure {
  return { code: "noproc", executed: "no", message: `${label}: no such process` };
}

export function timedOut(label: string, timeoutMs: number): CallFailure {
  const message = `${label}: no answer within ${timeoutMs} ms; it may still be handled`;
  return { code: "timeout", executed: "maybe", message };
}

export function mailboxFull(label: string, capacity: number): CallFailure {
  const message = `${label}: the mailbox is full (${capacity} messages wait); try again later`;
  return { code: "overloaded", executed: "no", message };
}

export function unreachable(label: string, node: string, executed: "no" | "maybe"): CallFailure {
  const message = `${label}: node ${node} is unreachable`;
  return { code: "noconnection", executed, message };
}

/** The process lost the lease of its name: another may own it by now. */
export function fenced(process: Process, executed: "no" | "maybe"): CallFailure {
  const message = `${process.pid} no longer owns its name: ask again, another process may`;
  return { code: "noconnection", executed, message };
}

export function ended(process: Process, reason: ExitReason, call: OpenCall): CallFailure {
  return {
    code: "exited",
    executed: call.dispatched ? "maybe" : "no",
    message: `${process.title} ended before it answered: ${describeReason(reason)}`,
    reason,
  };
}

/** The callee ran, and what it returned cannot cross to its caller. */
export function notPlain(thrown: unknown): CallFailure {
  return { code: "failed", executed: "maybe", message: errorData(thrown).message };
}
