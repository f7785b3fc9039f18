/**
 * Notices when the machine did not let this node run for a while: a fault nobody asked for, and written down as one.
 *
 * @module
 */
import type { EventLog } from "./event-log.ts";

const everyMs = 50;
/** So late is a stall, in milliseconds: a heartbeat's echo is valid for 400 ms, and they come every 100 ms. */
const lateMsMin = 200;

/** The kind of fault that a stall is written down as. */
export const stallKind = "stall";

export function watchForStalls(node: string, log: EventLog): void {
  let lastMs = log.now();
  setInterval(() => {
    const nowMs = log.now();
    if (nowMs - lastMs > everyMs + lateMsMin)
      log.recordAt(lastMs, { type: "fault", untilMs: nowMs, kind: stallKind, targets: [node] });
    lastMs = nowMs;
  }, everyMs);
}
