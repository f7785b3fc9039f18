/**
 * The fence: a process that has lost the lease of its name handles nothing any more.
 *
 * @module
 */
import type { Incoming } from "./behaviour.ts";
import { failed, fenced } from "./failures.ts";
import type { OpenCall } from "./open-call.ts";
import type { Process } from "./process.ts";

/** Marks a call as seen, or refuses it when the process may not act any more. */
export function mayDispatch(process: Process, message: Incoming): boolean {
  const call = message.type === "call" ? (message as OpenCall) : undefined;
  if (process.options.fence?.() === false) {
    call?.settle(failed(fenced(process, "no")));
    return false;
  }
  if (call !== undefined) call.dispatched = true;
  return true;
}
