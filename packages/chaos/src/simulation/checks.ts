/**
 * What the history of a simulated run is checked for.
 *
 * @module
 */
import { checkHistory } from "../checkers/check-history.ts";
import type { Checker, History, Violation } from "../history.ts";
import { workerIntensity } from "./workload-processes.ts";

/** How long after a fault its effects may last, in milliseconds. */
const calmMs = 1_000;
/** The fastest clock of a node, compared with true time. */
const clockRateMax = 1.05;
/** How long before it runs a call may have been sent, in milliseconds. */
const sentMsMax = 4_000;

/** Every promise that a history shows. */
const checkPromises: Checker = (history) => {
  const supervisors = new Set<string>();
  for (const event of history)
    if (event.type === "start" && event.supervisor !== undefined) supervisors.add(event.supervisor);
  const { maxRestarts, maxSeconds } = workerIntensity;
  // Counted on the node's clock, which may be faster than the history's.
  const intensity = { maxRestarts, maxSeconds: maxSeconds / clockRateMax };
  const intensities = Object.fromEntries([...supervisors].map((each) => [each, intensity]));
  return checkHistory(history, { intensities });
};

/**
 * C3 where no fault is near: a call that an owner refused, because it might not act, is sent again behind those that were on
 * their way.
 */
const isCalm = (history: History, { events }: Violation): boolean => {
  const [fromMs, toMs] = [events[0]?.atMs ?? 0, events.at(-1)?.atMs ?? 0];
  return history.every(
    (event) =>
      event.type !== "fault" || event.atMs > toMs || event.untilMs + calmMs < fromMs - sentMsMax,
  );
};

export const allCheckers: readonly Checker[] = [
  (history) =>
    checkPromises(history).filter(
      (violation) => violation.promise !== "C3" || isCalm(history, violation),
    ),
];
