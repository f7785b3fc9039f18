/**
 * The run queue: which process runs next, and when the event loop gets its turn.
 *
 * Work starts in a microtask, for latency, and gives way to I/O after a time budget, so that processes that keep each
 * other busy cannot starve timers and sockets.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import { Mailbox } from "./mailbox.ts";

/** The longest the queue runs before I/O gets a turn, in milliseconds. */
export const turnBudgetMs = 5;
/** How many tasks run between two looks at the clock. */
const tasksPerClockRead = 64;

/** Runs tasks in order, each to its next pause. */
export class RunQueue {
  readonly #clock: Clock;
  readonly #tasks = new Mailbox<() => void>();
  #scheduled = false;
  /** When the budget of this turn of the event loop is used up. */
  #endsAt: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `task` later in this turn of the event loop, or in the next when the budget is used up. It must not throw. */
  add(task: () => void): void {
    this.#tasks.push(task);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#run);
  }

  readonly #run = (): void => {
    if (this.#endsAt === undefined) {
      // Kept until the event loop has turned: promises between tasks must not start a fresh budget each.
      this.#endsAt = this.#clock.now() + turnBudgetMs;
      this.#clock.soon(() => {
        this.#endsAt = undefined;
      });
    }
    let untilClockRead = 1;
    let task: (() => void) | undefined;
    while (true) {
      untilClockRead -= 1;
      if (untilClockRead === 0) {
        untilClockRead = tasksPerClockRead;
        if (this.#clock.now() >= this.#endsAt) break;
      }
      task = this.#tasks.shift();
      if (task === undefined) break;
      task();
    }
    if (this.#tasks.length > 0) this.#clock.soon(this.#run);
    else this.#scheduled = false;
  };
}
