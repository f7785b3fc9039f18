/**
 * Why a supervisor did not start: which child, of which supervisor below it, for what reason.
 *
 * @module
 */
import { describeReason, type ExitReason } from "@coppice/kernel";

/** What the exit reason of such a supervisor holds (C3.2). */
interface FailedChild {
  readonly failed_to_start_child: string;
  readonly reason: ExitReason;
}

/** The exit reason of a supervisor that could not start this child. */
export function failedToStart(id: string, reason: ExitReason): ExitReason {
  const detail: FailedChild = { failed_to_start_child: id, reason };
  return { type: "shutdown", detail };
}

/** One line for people: the path to the child, then its own reason. */
export function describeStartFailure(reason: ExitReason): string {
  const path: string[] = [];
  let innermost = reason;
  while (innermost.type === "shutdown" && isFailedChild(innermost.detail)) {
    path.push(innermost.detail.failed_to_start_child);
    innermost = innermost.detail.reason;
  }
  return [...path, describeReason(innermost)].join(": ");
}

function isFailedChild(detail: unknown): detail is FailedChild {
  return typeof detail === "object" && detail !== null && "failed_to_start_child" in detail;
}
