/**
 * What the history of a simulated run is checked for.
 *
 * @module
 */
import { checkHistory } from "../checkers/check-history.ts";
import type { Checker } from "../history.ts";
import { workerIntensity } from "./workload-processes.ts";

/** Every promise that a history shows. */
const checkPromises: Checker = (history) => {
  const supervisors = new Set<string>();
  for (const event of history)
    if (event.type === "start" && event.supervisor !== undefined) supervisors.add(event.supervisor);
  const intensities = Object.fromEntries([...supervisors].map((each) => [each, workerIntensity]));
  return checkHistory(history, { intensities });
};

export const allCheckers: readonly Checker[] = [checkPromises];
