/**
 * The fence: a process that has lost the lease of its name handles nothing until it has it again.
 *
 * Calls are refused, so that their callers ask again and find the new owner. All else waits: either the lease comes back, and
 * nothing is lost, or the process is ended. What its parent tells it is heard in any case.
 *
 * @module
 */
import type { Incoming } from "./behaviour.ts";
import { failed, fenced } from "./failures.ts";
import type { OpenCall } from "./open-call.ts";
import { samePid } from "./pid.ts";
import type { Process } from "./process.ts";

/** How often a process with messages waiting behind its fence is looked at, in milliseconds. */
export const fenceRetryMs = 50;

/** Whether the process may not handle messages now. */
export function isFenced(process: Process): boolean {
  return process.options.fence !== undefined && !process.options.fence();
}

/** Refuses the calls that wait. */
export function refuseFenced(process: Process): void {
  const mailbox = process.box();
  let call: Incoming | undefined;
  while ((call = mailbox.take(({ type }) => type === "call")) !== undefined)
    (call as OpenCall).settle(failed(fenced(process, "no")));
}

/** Takes what the parent says: it is handled in spite of the fence. */
export function takeFromParent(process: Process): Incoming | undefined {
  const parent = process.options.parent ?? process.options.link;
  if (parent === undefined) return undefined;
  return process.box().take((each) => each.type === "exit" && samePid(each.from, parent));
}

/** Marks a call as seen by the process, so that it may have run. */
export function dispatched(message: Incoming): Incoming {
  if (message.type === "call") (message as OpenCall).dispatched = true;
  return message;
}
