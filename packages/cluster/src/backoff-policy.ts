/**
 * How long to wait before a process that keeps failing is started again: a pure decision.
 *
 * @module
 */

/** When it failed, oldest first, on one clock. */
export type FailureHistory = readonly number[];

/** Failures longer ago do not count, in milliseconds. */
export const failureWindowMs = 60_000;
/** So many failures are followed by a start at once, as a supervisor with the default intensity does. */
const atOnceMax = 3;
const firstDelayMs = 500;
/** The longest wait, in milliseconds. */
export const delayMsMax = 30_000;
/** The least wait after a start that failed: it would fail again at once. */
const startFailureDelayMs = 200;

/** What to wait after one more failure now. `isStart`: it did not even start. */
export function backOff(
  history: FailureHistory,
  nowMs: number,
  isStart: boolean,
): { readonly history: FailureHistory; readonly delayMs: number } {
  const recent = [...history.filter((atMs) => nowMs - atMs < failureWindowMs), nowMs];
  const kept = recent.slice(-16); // More would not make the wait longer.
  const beyond = kept.length - atOnceMax;
  const delayMs = beyond <= 0 ? 0 : Math.min(delayMsMax, firstDelayMs * 2 ** (beyond - 1));
  return { history: kept, delayMs: isStart ? Math.max(delayMs, startFailureDelayMs) : delayMs };
}
