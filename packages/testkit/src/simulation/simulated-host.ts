/**
 * One life of a simulated machine: its clock, and whether it runs, stands still or is gone.
 *
 * Invariants:
 *   H1. Once it is killed, nothing of it runs again: no timer, no message, no answer.
 *   H2. While it is frozen, messages and timers wait. When it thaws, messages are handed over first, as a system does that
 *       reads its sockets before it looks at its timers.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";
import type { Due, Gate, SimulatedTime } from "./simulated-time.ts";

/** How the clocks of a machine run. */
export interface ClockOptions {
  /** How fast the monotonic clock runs, compared with true time. */
  readonly rate: number;
  /** What the monotonic clock shows at the start of a life, in milliseconds. */
  readonly startMs: number;
}

/** What the wall clocks of all machines show when a simulation begins: 2026-01-01. */
const wallStartMs = 1_767_225_600_000;

/**
 * The shortest wait, in milliseconds. What is left of a deadline can be so little that adding it to the time changes nothing,
 * and whoever waits for it would wait for ever.
 */
const waitMsMin = 0.001;

export class SimulatedHost implements Gate {
  readonly name: string;
  readonly clock: Clock;
  readonly #time: SimulatedTime;
  #state: "running" | "frozen" | "dead" = "running";
  #wallShiftMs = 0;
  #messages: Due[] = [];
  #timers: Due[] = [];

  constructor(name: string, time: SimulatedTime, { rate, startMs }: ClockOptions) {
    this.name = name;
    this.#time = time;
    const bornMs = time.nowMs;
    this.clock = {
      now: () => startMs + (time.nowMs - bornMs) * rate,
      wall: () => wallStartMs + time.nowMs + this.#wallShiftMs,
      after: (ms, run) => {
        const due = time.at(time.nowMs + Math.max(waitMsMin, ms) / rate, run, this);
        return () => time.cancel(due);
      },
      soon: (run) => time.soon(run, this),
    };
  }

  get isAlive(): boolean {
    return this.#state !== "dead";
  }

  get isFrozen(): boolean {
    return this.#state === "frozen";
  }

  admits(due: Due): boolean {
    if (this.#state === "running") return true;
    if (this.#state === "frozen") (due.isMessage ? this.#messages : this.#timers).push(due);
    return false;
  }

  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    const waiting = [...this.#messages, ...this.#timers];
    this.#messages = [];
    this.#timers = [];
    for (const due of waiting) {
      // Looked at when it runs: a message may cancel a timer.
      const run = (): void => {
        const { run: now } = due;
        due.run = undefined;
        now?.();
      };
      this.#time.at(this.#time.nowMs, run, this, due.isMessage);
    }
  }

  kill(): void {
    this.#state = "dead";
    this.#messages = [];
    this.#timers = [];
  }

  /** Moves the wall clock; the monotonic one does not notice. */
  jumpWall(ms: number): void {
    this.#wallShiftMs += ms;
  }
}
