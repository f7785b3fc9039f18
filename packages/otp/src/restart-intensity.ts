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

/** The seconds of past restarts, newest first, as far as they still count. */
export type RestartHistory = readonly number[];

/** The history after one more restart at `nowMs`, and whether it is one too many. */
export function recordRestart(
  history: RestartHistory,
  nowMs: number,
  intensity: RestartIntensity,
): { readonly history: RestartHistory; readonly exceeded: boolean } {
  const now = Math.floor(nowMs / 1_000);
  const recent = history.filter((second) => second >= now - intensity.maxSeconds);
  const next = [now, ...recent];
  return { history: next, exceeded: next.length > intensity.maxRestarts };
}
