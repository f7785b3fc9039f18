/**
 * The log event of a crash: who, why, and what it was doing.
 *
 * @module
 */
import type { Behaviour } from "./behaviour.ts";
import { describeReason, errorData, type ExitReason } from "./exit-reason.ts";
import type { Logger } from "./logger.ts";
import { describeMessage } from "./process-info.ts";
import type { Process } from "./process.ts";

/** Logs `event: "crash"` for a process that ended by a throw. Reasons that are no fault log nothing (A1.2). */
export function reportCrash(logger: Logger, process: Process, reason: ExitReason): void {
  if (reason.type !== "error" && reason.type !== "exit") return;
  const { pid, name, options, current, mailbox, status, code, title } = process;
  const fields = {
    event: "crash",
    pid: pid.toString(),
    name: name ?? options.label,
    kind: options.kind ?? "process",
    reason,
    during: current === undefined ? doing(status) : describeMessage(current),
    mailbox: mailbox?.length ?? 0,
    ...stateOf(code as Partial<Behaviour>),
  };
  logger.error(fields, `${title} crashed: ${describeReason(reason)}`);
}

function doing(status: Process["status"]): string {
  return status === "starting" ? "start" : "run";
}

function stateOf(code: Partial<Behaviour>): Readonly<Record<string, unknown>> {
  try {
    return code.report?.() ?? {};
  } catch (thrown) {
    return { report: `could not be made: ${errorData(thrown).message}` };
  }
}
