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
import type { Process } from "./process.ts";

/** The longest the queue runs before I/O gets a turn, in milliseconds, give or take one message. */
export const turnBudgetMs = 5;
/** The most messages in one turn, whatever the clock says: a simulated one may stand still. */
export const messagesPerTurnMax = 100_000;
/** The most messages between two looks at the clock: fewer when messages take long. */
const messagesPerLookMax = 128;
/** A look is early enough when this much time has passed since the last, in milliseconds. */
const lookEveryMs = 0.5;

const settled = Promise.resolve();

/** Runs processes in the order they became ready, each to its next pause. */
export class RunQueue {
  readonly #clock: Clock;
  /** Handles some messages of a process. Returns how many. It must not throw. */
  readonly #runProcess: (process: Process) => number;
  readonly #ready = new Mailbox<Process>();
  #scheduled = false;
  /** When the budget of this turn of the event loop is used up. */
  #endsAtMs: number | undefined;
  #lookedAtMs = 0;
  #messagesPerLook = 1;
  #untilLook = 1;
  /** What `#untilLook` was at the last look. */
  #looked = 1;
  #messagesLeft = messagesPerTurnMax;

  constructor(clock: Clock, runProcess: (process: Process) => number) {
    this.#clock = clock;
    this.#runProcess = runProcess;
  }

  /** Runs the process later in this turn of the event loop, or in the next when the budget is used up. */
  add(process: Process): void {
    if (process.queued) return;
    process.queued = true;
    this.#ready.push(process);
    if (this.#scheduled) return;
    this.#scheduled = true;
    void settled.then(this.#run); // Node's queueMicrotask costs several times as much.
  }

  readonly #run = (): void => {
    if (this.#endsAtMs === undefined) this.#beginTurn();
    while (this.#untilLook > 0 || this.#hasTime()) {
      const process = this.#ready.shift();
      if (process === undefined) break;
      process.queued = false;
      this.#untilLook -= this.#runProcess(process);
    }
    if (this.#ready.length > 0) this.#clock.soon(this.#run);
    else this.#scheduled = false;
  };

  /** The budget is kept until the event loop has turned: promises between messages must not start a fresh one each. */
  #beginTurn(): void {
    this.#lookedAtMs = this.#clock.now();
    this.#endsAtMs = this.#lookedAtMs + turnBudgetMs;
    this.#untilLook = this.#messagesPerLook;
    this.#looked = this.#untilLook;
    this.#messagesLeft = messagesPerTurnMax;
    this.#clock.soon(() => {
      this.#endsAtMs = undefined;
    });
  }

  #hasTime(): boolean {
    const nowMs = this.#clock.now();
    const isSlow = nowMs - this.#lookedAtMs > lookEveryMs;
    const next = isSlow ? this.#messagesPerLook >> 2 : this.#messagesPerLook << 1;
    this.#messagesPerLook = Math.min(Math.max(next, 1), messagesPerLookMax);
    this.#lookedAtMs = nowMs;
    this.#messagesLeft -= this.#looked - this.#untilLook;
    const hasTime = nowMs < this.#endsAtMs! && this.#messagesLeft > 0;
    // Once time is up it stays up for this turn, also when the queue ran empty just now.
    this.#untilLook = hasTime ? this.#messagesPerLook : 0;
    this.#looked = this.#untilLook;
    return hasTime;
  }
}
