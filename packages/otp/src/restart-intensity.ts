/**
 * How many restarts a supervisor tolerates before it gives up.
 *
 * Source: OTP's algorithm (C6), which counts in whole seconds: the window is between `period` and `period + 1` seconds.
 *
 * @module
 */

/** At most `maxRestarts` restarts within `maxSeconds`; one more ends the supervisor. */
export interface RestartIntensity {
  /** 0 or more. Default: 3. */
  readonly maxRestarts: number;
  /** At least 1. Default: 5. */
  readonly maxSeconds: number;
}

/** Elixir's defaults (C1.1). */
export const restartIntensityDefault: RestartIntensity = { maxRestarts: 3, maxSeconds: 5 };

/** How many restarts each second of the window had, newest first: as long as the window, whatever happens in it. */
export type RestartHistory = readonly { readonly second: number; readonly count: number }[];

/** The history after one more restart at `nowMs`, and whether it is one too many. */
export function recordRestart(
  history: RestartHistory,
  nowMs: number,
  intensity: RestartIntensity,
): { readonly history: RestartHistory; readonly exceeded: boolean } {
  const now = Math.floor(nowMs / 1_000);
  const recent = history.filter(({ second }) => second >= now - intensity.maxSeconds);
  const [newest, ...older] = recent;
  const next =
    newest?.second === now
      ? [{ second: now, count: newest.count + 1 }, ...older]
      : [{ second: now, count: 1 }, ...recent];
  return { history: next, exceeded: countRestarts(next) > intensity.maxRestarts };
}

/** How many restarts the window holds. */
export function countRestarts(history: RestartHistory): number {
  return history.reduce((sum, { count }) => sum + count, 0);
}

/** @throws {RangeError} if the numbers are none that can be counted with. */
export function checkIntensity({ maxRestarts, maxSeconds }: RestartIntensity): void {
  if (!Number.isInteger(maxRestarts) || maxRestarts < 0)
    throw new RangeError(`maxRestarts must be a whole number, 0 or more, not ${maxRestarts}`);
  if (!Number.isInteger(maxSeconds) || maxSeconds < 1)
    throw new RangeError(`maxSeconds must be a whole number, 1 or more, not ${maxSeconds}`);
}
