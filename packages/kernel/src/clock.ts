/**
 * Time as a parameter: the only way the workspace reads a clock or waits.
 *
 * A simulated implementation makes a whole cluster run in one thread and replay from a seed.
 *
 * @module
 */

/** Stops a timer. Calling it after the timer fired, or twice, does nothing. */
export type Cancel = () => void;

/** Where time comes from. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start. Never goes back; every deadline is counted on it. */
  readonly now: () => number;
  /** Wall-clock milliseconds since 1970, for people only: it may jump, so nothing is decided by it. */
  readonly wall: () => number;
  /** Runs `run` once, no earlier than `ms` milliseconds from now. */
  readonly after: (ms: number, run: () => void) => Cancel;
  /** Runs `run` after the I/O that is ready now, so that a long queue of work cannot starve the sockets. */
  readonly soon: (run: () => void) => void;
}

/** The longest wait `setTimeout` can express, in milliseconds; longer waits are cut to it. */
export const timerMsMax = 2_147_483_647;

/** The machine's clocks. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, timerMsMax));
    return () => clearTimeout(timer);
  },
  soon: (run) => {
    setImmediate(run);
  },
};

/** Resolves after `ms` milliseconds of `clock`. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
