/**
 * What happens to a guest that used up its fuel, and who runs next. Pure: times in, a decision out.
 *
 * Invariants:
 *   P1. A guest that may not run any more never goes on, whatever else is true.
 *   P2. A guest that cannot wait (the host is on its stack) is never asked to; it goes on within a limit of its own.
 *   P3. While the turn of the event loop is used up, every guest that can wait, waits.
 *   P4. Long work gets at least a quarter of the time, however much short work there is.
 *
 * @module
 */

/** How long a guest runs before others get a turn, in milliseconds. */
export const sliceMsMax = 1;
/** The same for a call that just began, and how long it counts as short: of many that begin at once, none waits long. */
const shortMsMax = 0.25;
/** How long guests run in one turn of the event loop before sockets and timers get theirs, in milliseconds. */
export const turnMsMax = 2;
/** The longest a guest runs where it cannot wait: start, `cabi_realloc`, post-return, destructors. In milliseconds. */
export const unsuspendableMsMax = 100;
/** How often a running guest should look at the clock, in milliseconds. */
const pollMs = 0.25;
const fuelMin = 10_000;
const fuelMax = 2_000_000;
/** The first fill of an instance, before it is known how much it does with it: about 50 microseconds. */
export const fuelFirst = 100_000;

/** What a guest may use. */
export interface CpuLimits {
  /** Milliseconds of one call. */
  readonly callMsMax: number;
  /** Milliseconds of all calls together. */
  readonly totalMsMax: number;
}

/** A guest that used up its fuel. Times in milliseconds. */
export interface Use extends CpuLimits {
  /** It is to end, by someone's decision. */
  readonly killed: boolean;
  readonly callMs: number;
  readonly totalMs: number;
  readonly sliceMs: number;
  /** How long it has been running where it cannot wait; undefined where it can. */
  readonly unsuspendableMs: number | undefined;
  /** Whether others are ready to run. */
  readonly othersWait: boolean;
  /** Whether the turn of the event loop is used up. */
  readonly turnUsedUp: boolean;
}

export type Decision =
  | "go_on"
  /** Its slice is over: it goes behind those that wait. */
  | "yield"
  /** The turn is over, its slice is not: it goes on first in the next turn, or the same guests would always be cut short. */
  | "pause"
  | "killed"
  | "cpu_per_call"
  | "cpu_per_process"
  | "unsuspendable";

export function decide(use: Use): Decision {
  if (use.killed) return "killed";
  const exceeded = exceededLimit(use);
  if (exceeded !== undefined) return exceeded;
  if (use.unsuspendableMs !== undefined)
    return use.unsuspendableMs > unsuspendableMsMax ? "unsuspendable" : "go_on";
  const slice = levelOf(use.callMs - use.sliceMs) === "short" ? shortMsMax : sliceMsMax;
  if (use.sliceMs >= slice && (use.othersWait || use.turnUsedUp)) return "yield";
  return use.turnUsedUp ? "pause" : "go_on";
}

/** Which limit is exceeded, if any. */
export function exceededLimit(
  use: Pick<Use, "callMs" | "totalMs" | keyof CpuLimits>,
): "cpu_per_call" | "cpu_per_process" | undefined {
  if (use.callMs > use.callMsMax) return "cpu_per_call";
  return use.totalMs > use.totalMsMax ? "cpu_per_process" : undefined;
}

/** The next fill: as much as takes {@link pollMs}, by what the last one took. What a unit does differs 100-fold. */
export function nextFuel(fuel: number, tookMs: number): number {
  const wanted = tookMs <= 0 ? fuel * 2 : (fuel * pollMs) / tookMs;
  return Math.round(Math.min(fuelMax, Math.max(fuelMin, Math.min(wanted, fuel * 2))));
}

/** Short work is done first. */
export type Level = "short" | "long";

export function levelOf(callMs: number): Level {
  return callMs < shortMsMax ? "short" : "long";
}

/** Which level to serve, given what waits and how much time long work is owed, in milliseconds. */
export function levelToServe(waiting: Readonly<Record<Level, number>>, owedMs: number): Level {
  if (waiting.short === 0) return "long";
  return waiting.long > 0 && owedMs >= sliceMsMax ? "long" : "short";
}

const longShare = 1 / 3;

/** What long work is owed after `level` ran for `ms`. Nothing accumulates while no long work waits. */
export function owedAfter(owedMs: number, level: Level, ms: number, longWaiting: number): number {
  if (level === "long") return Math.max(0, owedMs - ms);
  return longWaiting === 0 ? 0 : owedMs + ms * longShare;
}
