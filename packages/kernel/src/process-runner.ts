/**
 * Runs the code of processes: a start, then message after message, at most one step of a process at a time (K1).
 *
 * @module
 */
import type { Behaviour, Incoming, ProcessFunction } from "./behaviour.ts";
import type { Clock } from "./clock.ts";
import { normal } from "./exit-reason.ts";
import { dispatched, fenceRetryMs, isFenced, refuseFenced, takeFromParent } from "./fence.ts";
import type { Mailbox } from "./mailbox.ts";
import type { ProcessEnds } from "./process-ends.ts";
import type { Process } from "./process.ts";
import { offerMessage } from "./receive.ts";
import { RunQueue } from "./run-queue.ts";

/** The most messages of one process that are handled before another process runs. */
export const messagesPerRun = 32;

export class ProcessRunner {
  readonly #ends: ProcessEnds;
  readonly #clock: Clock;
  readonly #queue: RunQueue;

  constructor(clock: Clock, ends: ProcessEnds) {
    this.#clock = clock;
    this.#ends = ends;
    this.#queue = new RunQueue(clock, (process) => this.#run(process));
  }

  /** Lets a process run for the first time, or because a message arrived. */
  wake(process: Process): void {
    this.#queue.add(process);
  }

  /** Puts a message into a mailbox. It does not look whether there is room. */
  push(process: Process, message: Incoming): void {
    if (process.status === "ended") return;
    process.box().push(message);
    // A process that runs goes on by itself, unless it waits in a `receive`.
    if (process.status === "waiting" || process.relations?.waiter !== undefined) this.wake(process);
  }

  #run(process: Process): number {
    switch (process.status) {
      case "waiting":
        return this.#handleMessages(process, process.code as Behaviour);
      case "starting":
        this.#start(process);
        return 1;
      case "running":
        offerMessage(process);
        if (process.relations?.waiter !== undefined && isFenced(process)) this.#lookAgain(process);
        return 1;
      case "ended":
        return 0;
    }
  }

  #start(process: Process): void {
    const { code } = process;
    if (typeof code === "function") return this.#startFunction(process, code);
    try {
      const pending = code.start?.(process.self);
      if (pending === undefined) this.#started(process);
      else
        pending.then(
          () => this.#started(process),
          (thrown: unknown) => this.#ends.crash(process, thrown),
        );
    } catch (thrown) {
      this.#ends.crash(process, thrown);
    }
  }

  #started(process: Process): void {
    if (process.status !== "starting") return; // It was ended while it started.
    process.status = "waiting";
    const { started } = process;
    process.started = undefined;
    started?.();
    if (process.mailbox !== undefined && process.mailbox.length > 0) this.wake(process);
  }

  #startFunction(process: Process, code: ProcessFunction): void {
    process.status = "running";
    const { started } = process;
    process.started = undefined;
    started?.();
    try {
      const pending = code(process.self);
      if (pending === undefined) this.#ends.end(process, normal);
      else
        pending.then(
          () => this.#ends.end(process, normal),
          (thrown: unknown) => this.#ends.crash(process, thrown),
        );
    } catch (thrown) {
      this.#ends.crash(process, thrown);
    }
  }

  #handleMessages(process: Process, code: Behaviour): number {
    const mailbox = process.box();
    let count = 0;
    while (process.status === "waiting" && count < messagesPerRun) {
      const message = this.#next(process, mailbox);
      if (message === undefined) return count;
      count += 1;
      process.status = "running";
      process.current = dispatched(message);
      try {
        const pending = code.handle(message, process.self);
        if (pending === undefined) {
          this.#handled(process);
        } else {
          pending.then(
            () => this.#goOn(process),
            (thrown: unknown) => this.#ends.crash(process, thrown),
          );
          return count;
        }
      } catch (thrown) {
        this.#ends.crash(process, thrown);
        return count;
      }
    }
    if (process.status === "waiting" && mailbox.length > 0) this.wake(process);
    return count;
  }

  #next(process: Process, mailbox: Mailbox<Incoming>): Incoming | undefined {
    if (!isFenced(process)) return mailbox.shift();
    refuseFenced(process);
    const message = takeFromParent(process);
    if (message === undefined) this.#lookAgain(process);
    return message;
  }

  /** Nobody says when a fence is up again. */
  #lookAgain(process: Process): void {
    const relations = process.relate();
    relations.cancelLook ??= this.#clock.after(fenceRetryMs, () => {
      relations.cancelLook = undefined;
      this.wake(process);
    });
  }

  #goOn(process: Process): void {
    this.#handled(process);
    if (process.status === "waiting" && process.box().length > 0) this.wake(process);
  }

  #handled(process: Process): void {
    process.handled += 1;
    process.current = undefined;
    if (process.status === "running") process.status = "waiting";
  }
}
