/**
 * The log event of a crash: who, why, and what it was doing.
 *
 * @module
 */
import type { Incoming } from "./behaviour.ts";
import { describeReason, type ExitReason } from "./exit-reason.ts";
import type { Logger } from "./logger.ts";
import type { Process } from "./process.ts";

/** Logs `event: "crash"` for a process that ended by a throw. Reasons that are no fault log nothing (A1.2). */
export function reportCrash(logger: Logger, process: Process, reason: ExitReason): void {
  if (reason.type !== "error" && reason.type !== "exit") return;
  const { pid, name, options, current, mailbox } = process;
  const label = name ?? options.label;
  const fields = {
    event: "crash",
    pid: pid.toString(),
    name: label,
    kind: options.kind ?? "process",
    reason,
    during: current === undefined ? "start" : describeMessage(current),
    mailbox: mailbox.length,
  };
  logger.error(fields, `${label ?? pid.toString()} crashed: ${describeReason(reason)}`);
}

function describeMessage(message: Incoming): string {
  switch (message.type) {
    case "call":
    case "cast":
      return `${message.type} ${message.method}/${message.args.length}`;
    default:
      return message.type;
  }
}
