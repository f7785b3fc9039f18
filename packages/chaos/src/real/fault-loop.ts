/**
 * Makes one fault after the other and takes each back, as the plan of the seed says, until the time is over.
 *
 * @module
 */
import { seededRandom } from "@coppice/kernel";
import type { FaultEvent } from "../history.ts";
import type { Fault } from "./faults/fault.ts";
import type { HarnessTime } from "./harness-time.ts";
import { planFaults, type PlannedFault } from "./schedule-policy.ts";
import type { World } from "./world.ts";

/** How long making a fault or taking it back may take, in milliseconds. */
export const faultMsMax = 120_000;

export interface FaultLoopOptions {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly world: World;
  readonly now: HarnessTime;
  readonly untilMs: number;
  /** At most. */
  readonly count: number;
  readonly signal: AbortSignal;
  readonly onBegin: (planned: PlannedFault) => void;
  readonly onMade: (planned: PlannedFault, targets: readonly string[]) => void;
  readonly onHealed: (event: FaultEvent, planned: PlannedFault) => void;
}

/** @throws {FaultStuckError} if a fault cannot be made or taken back in time. */
export async function runFaults(options: FaultLoopOptions): Promise<void> {
  const { seed, faults, now, untilMs, count, signal } = options;
  if (faults.length === 0) return;
  for (const planned of planFaults(seed, faults)) {
    if (planned.number > count) return;
    await waitFor(planned.pauseMs, signal);
    if (signal.aborted || now() >= untilMs) return;
    const fault = faults.find(({ kind }) => kind === planned.kind)!;
    await makeOne(fault, planned, options);
  }
}

async function makeOne(
  fault: Fault,
  planned: PlannedFault,
  { world, now, signal, onBegin, onMade, onHealed }: FaultLoopOptions,
): Promise<void> {
  const { kind, lengthMs, seed } = planned;
  onBegin(planned);
  const atMs = now();
  const making = Promise.resolve(fault.inject(seededRandom(seed), world));
  const { targets, heal } = await inTime(making, `make ${kind}`);
  onMade(planned, targets);
  await waitFor(lengthMs, signal);
  await inTime(Promise.resolve(heal()), `take ${kind} of ${targets.join(", ")} back`);
  onHealed({ type: "fault", atMs, untilMs: now(), kind, targets }, planned);
}

/** Something did not come back although every fault was taken back. */
export class FaultStuckError extends Error {
  static {
    this.prototype.name = "FaultStuckError";
  }
  readonly code = "fault_stuck";
}

async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new FaultStuckError(`it took more than ${faultMsMax} ms to ${what}`));
  }, faultMsMax);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves early when the run is ended. */
export function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
