/**
 * A clock that stands still until it is told to move: timers run in order, at their exact times.
 *
 * Between two timers everything that is ready runs: tasks given to `soon`, and promises until none is left. What waits
 * for real I/O is not waited for.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";
import { type HeapEntry, TimerHeap } from "./simulation/timer-heap.ts";

interface Timer extends HeapEntry {
  /** Nothing once it was stopped. */
  run: (() => void) | undefined;
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
  let pending = 0;
  let soon: (() => void)[] = [];
  const timers = new TimerHeap<Timer>();
  const settle = async (): Promise<void> => {
    do {
      const tasks = soon;
      soon = [];
      for (const task of tasks) task();
      // The real loop's next turn comes after every promise that can settle has.
      await new Promise((resolve) => setImmediate(resolve));
    } while (soon.length > 0);
  };
  const advance = async (ms: number): Promise<void> => {
    const untilMs = nowMs + ms;
    await settle();
    let timer: Timer | undefined;
    while ((timer = timers.peek()) !== undefined && timer.atMs <= untilMs) {
      timers.pop();
      const { run } = timer;
      if (run === undefined) continue;
      timer.run = undefined;
      pending -= 1;
      nowMs = timer.atMs;
      run();
      await settle();
    }
    nowMs = untilMs;
  };
  return {
    now: () => nowMs,
    wall: () => nowMs,
    after: (ms, run) => {
      order += 1;
      pending += 1;
      const timer: Timer = { atMs: nowMs + Math.max(0, ms), order, run };
      timers.push(timer);
      return () => {
        if (timer.run === undefined) return;
        timer.run = undefined;
        pending -= 1;
      };
    },
    soon: (run) => void soon.push(run),
    advance,
    pending: () => pending,
  };
}
