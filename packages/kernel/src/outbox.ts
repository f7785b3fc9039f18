/**
 * What a process behind a fence sends: held back until its node may act for it again, dropped when the process ends first.
 *
 * Else a process that lost its name while a handler ran could still tell others what its successor contradicts.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import { fenceRetryMs, isFenced } from "./fence.ts";
import type { Delivery } from "./kernel-options.ts";
import type { Process } from "./process.ts";

/** The most messages of one process that are held back; more are dropped. */
export const outboxMax = 10_000;

/** Sends at once, or holds back. What was held goes first. */
export function sendUnlessFenced(process: Process, clock: Clock, send: () => Delivery): Delivery {
  if (process.options.fence === undefined) return send();
  const held = process.relations?.outbox;
  if (held === undefined && !isFenced(process)) return send();
  if (held === undefined) {
    process.relate().outbox = [send];
    flushLater(process, clock);
  } else if (held.length >= outboxMax) return "overloaded";
  else held.push(send);
  return "queued";
}

function flushLater(process: Process, clock: Clock): void {
  clock.after(fenceRetryMs, () => {
    const held = process.relations?.outbox;
    if (process.status === "ended" || held === undefined) return;
    if (isFenced(process)) return flushLater(process, clock);
    process.relations!.outbox = undefined;
    for (const send of held) send();
  });
}
