/**
 * The time of a simulation: what is due runs in order, and between two events everything that is ready runs.
 *
 * Invariants:
 *   T1. Time stands still while code runs; it moves only inside {@link SimulatedTime.advance}.
 *   T2. What is due at one time runs in the order in which it was planned.
 *   T3. What belongs to a gate runs only when the gate admits it.
 *
 * @module
 */
import { type HeapEntry, TimerHeap } from "./timer-heap.ts";

/** Something that will happen. */
export interface Due extends HeapEntry {
  /** Nothing once it ran or was cancelled. */
  run: (() => void) | undefined;
  readonly gate: Gate | undefined;
  /** A message is handed over before timers that were due while the receiver could not run. */
  readonly isMessage: boolean;
}

/** Whose event it is: it may have ended, or stand still. */
export interface Gate {
  /** Whether it runs now; one that does not keeps the event, or drops it. */
  readonly admits: (due: Due) => boolean;
  readonly isAlive: boolean;
}

export class SimulatedTime {
  readonly #dues = new TimerHeap<Due>();
  #soon: { readonly run: () => void; readonly gate: Gate }[] = [];
  #order = 0;
  #nowMs = 0;
  #isRunning = false;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Plans an event. It is cancelled by {@link cancel}. */
  at(atMs: number, run: () => void, gate?: Gate, isMessage = false): Due {
    this.#order += 1;
    const due: Due = {
      atMs: Math.max(atMs, this.#nowMs),
      order: this.#order,
      run,
      gate,
      isMessage,
    };
    this.#dues.push(due);
    return due;
  }

  cancel(due: Due): void {
    due.run = undefined;
  }

  /** Runs it at the present time, after what is ready. */
  soon(run: () => void, gate: Gate): void {
    this.#soon.push({ run, gate });
  }

  /**
   * Moves time on by so much, running what comes due. With `until`, it stops as soon as that holds, which is asked after
   * each event.
   *
   * @throws {Error} if time is being moved already: only one can.
   */
  async advance(ms: number, until?: () => boolean): Promise<void> {
    if (this.#isRunning)
      throw new Error("time is being moved already: await one advance before the next");
    this.#isRunning = true;
    try {
      const untilMs = this.#nowMs + ms;
      await this.#settle();
      await this.#real();
      await this.#settle();
      if (await this.#runUntil(untilMs, until)) this.#nowMs = untilMs;
    } finally {
      this.#isRunning = false;
    }
  }

  /** Whether it got as far as `untilMs`. */
  async #runUntil(untilMs: number, until: (() => boolean) | undefined): Promise<boolean> {
    while (true) {
      if (until?.() === true) return false;
      const due = this.#dues.peek();
      if (due === undefined || due.atMs > untilMs) return true;
      this.#dues.pop();
      const { run, gate } = due;
      if (run === undefined) continue;
      this.#nowMs = due.atMs;
      if (gate !== undefined && !gate.admits(due)) continue;
      due.run = undefined;
      run();
      do {
        if (this.#soon.length > 0) this.#runSoon();
        await endOfTurn();
      } while (this.#soon.length > 0);
    }
  }

  async #settle(): Promise<void> {
    do {
      this.#runSoon();
      await endOfTurn();
    } while (this.#soon.length > 0);
  }

  #runSoon(): void {
    const tasks = this.#soon;
    this.#soon = [];
    for (const { run, gate } of tasks) if (gate.isAlive) run();
  }

  /** Lets the machine's own event loop turn, once for each move of time. */
  #real(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Until all promises that can settle have: the queue of ticks runs when that of microtasks is empty. It costs a quarter of a
 * turn of the event loop, of which a simulated second has hundreds.
 */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
