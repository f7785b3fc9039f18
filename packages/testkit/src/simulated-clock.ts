/**
 * A clock that stands still until it is told to move: timers run in order, at their exact times.
 *
 * Between two timers everything that is ready runs: tasks given to `soon`, and promises until none is left. What waits
 * for real I/O is not waited for.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock for tests. */
export interface SimulatedClock extends Clock {
  /** Moves time forward, running what comes due. */
  readonly advance: (ms: number) => Promise<void>;
  /** Timers that have not run. */
  readonly pending: () => number;
}

export function simulatedClock(): SimulatedClock {
  let nowMs = 0;
  let order = 0;
  let soon: (() => void)[] = [];
  const timers = new Set<Timer>();
  const settle = async (): Promise<void> => {
    do {
      const tasks = soon;
      soon = [];
      for (const task of tasks) task();
      // The real loop's next turn comes after every promise that can settle has.
      await new Promise((resolve) => setImmediate(resolve));
    } while (soon.length > 0);
  };
  const nextDue = (untilMs: number): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.atMs > untilMs) continue;
      const isEarlier =
        next === undefined ||
        timer.atMs < next.atMs ||
        (timer.atMs === next.atMs && timer.order < next.order);
      if (isEarlier) next = timer;
    }
    return next;
  };
  const advance = async (ms: number): Promise<void> => {
    const untilMs = nowMs + ms;
    await settle();
    let timer: Timer | undefined;
    while ((timer = nextDue(untilMs)) !== undefined) {
      timers.delete(timer);
      nowMs = timer.atMs;
      timer.run();
      await settle();
    }
    nowMs = untilMs;
  };
  return {
    now: () => nowMs,
    wall: () => nowMs,
    after: (ms, run) => {
      order += 1;
      const timer = { atMs: nowMs + Math.max(0, ms), order, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    soon: (run) => void soon.push(run),
    advance,
    pending: () => timers.size,
  };
}
