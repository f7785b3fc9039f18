/**
 * Selective receive: a process takes the oldest message it wants, and leaves the others where they are (A7.1).
 *
 * @module
 */
import type { Incoming } from "./behaviour.ts";
import type { Clock } from "./clock.ts";
import { ExitError } from "./errors.ts";
import { type ExitReason, killed } from "./exit-reason.ts";
import { dispatched, isFenced, refuseFenced } from "./fence.ts";
import type { Process, Waiter } from "./process.ts";

/** How to receive. */
export interface ReceiveOptions {
  /**
   * How long to wait, in milliseconds. 0 looks at what has arrived and does not wait (A7.2). Default: no limit, as the
   * process ends with its supervisor.
   */
  readonly timeoutMs?: number;
  /**
   * Only messages that arrived after this `Self.mark` are looked at: a request's answer cannot be older than the request, so
   * a long mailbox costs nothing.
   */
  readonly since?: number;
}

/** Takes the oldest message that is wanted, or waits for one. Undefined: the time is up. */
export function receive(
  process: Process | undefined,
  wanted: (message: Incoming) => boolean,
  { timeoutMs = Infinity, since = -Infinity }: ReceiveOptions,
  clock: Clock,
): Promise<Incoming | undefined> {
  if (process === undefined || process.status === "ended")
    return Promise.reject(new ExitError(killed));
  if (Number.isNaN(timeoutMs) || timeoutMs < 0)
    return Promise.reject(new RangeError(`timeoutMs must be 0 or more, not ${timeoutMs}`));
  const relations = process.relate();
  if (relations.waiter !== undefined)
    return Promise.reject(new RangeError(`${process.title} waits in another receive already`));
  const message = take(process, wanted, since);
  if (message !== undefined) return Promise.resolve(message);
  if (timeoutMs === 0) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const timeUp = (): void => {
      relations.waiter = undefined;
      resolve(undefined);
    };
    const waiter: Waiter = {
      wanted,
      from: isFenced(process) ? since : process.box().end,
      settle: resolve,
      fail: reject,
      cancelTimeout: timeoutMs === Infinity ? undefined : clock.after(timeoutMs, timeUp),
    };
    relations.waiter = waiter;
  });
}

/** Hands what has arrived to the `receive` that waits, if it wants it. Looks at each message once. */
export function offerMessage(process: Process): void {
  const { relations, mailbox } = process;
  const waiter = relations?.waiter;
  if (relations === undefined || waiter === undefined || mailbox === undefined) return;
  try {
    if (isFenced(process)) return refuseFenced(process);
    const message = take(process, waiter.wanted, waiter.from);
    waiter.from = mailbox.end;
    if (message === undefined) return;
    relations.waiter = undefined;
    waiter.cancelTimeout?.();
    waiter.settle(message);
  } catch (thrown) {
    relations.waiter = undefined;
    waiter.cancelTimeout?.();
    waiter.fail(thrown as Error); // The match threw: that is the receiver's own fault.
  }
}

/** Ends the `receive` of a process that has ended, so that what its code holds is let go of. */
export function abandonReceive(process: Process, reason: ExitReason): void {
  const waiter = process.relations?.waiter;
  if (waiter === undefined) return;
  process.relations!.waiter = undefined;
  waiter.cancelTimeout?.();
  waiter.fail(new ExitError(reason));
}

/** Behind a fence nothing is found; what waits there is not passed over. */
function take(
  process: Process,
  wanted: (message: Incoming) => boolean,
  from: number,
): Incoming | undefined {
  if (isFenced(process)) return undefined;
  const message = process.box().take(wanted, from);
  if (message === undefined) return undefined;
  process.handled += 1;
  return dispatched(message);
}
