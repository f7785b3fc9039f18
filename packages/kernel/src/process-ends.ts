/**
 * The end of processes: what is released, and who is told (K2).
 *
 * Ends are told one after another, however many processes end because of one: a chain of links costs no stack.
 *
 * @module
 */
import type { Behaviour } from "./behaviour.ts";
import { reportCrash } from "./crash-report.ts";
import { ExitError } from "./errors.ts";
import { crashed, errorData, type ExitReason, plainReason } from "./exit-reason.ts";
import { ended, failed } from "./failures.ts";
import type { Logger } from "./logger.ts";
import type { OpenCall } from "./open-call.ts";
import type { ProcessTable } from "./process-table.ts";
import type { ProcessTimers } from "./process-timers.ts";
import type { Process, Relations } from "./process.ts";
import { abandonReceive } from "./receive.ts";
import type { Signal } from "./signal.ts";

/** An end that has happened and has not been told. */
interface Ended {
  readonly process: Process;
  readonly reason: ExitReason;
}

export class ProcessEnds {
  readonly #table: ProcessTable;
  readonly #timers: ProcessTimers;
  readonly #logger: Logger;
  readonly #route: (signal: Signal) => void;
  /** Processes with a link to another node, or watched from one. */
  readonly relatedAway = new Set<Process>();
  readonly #untold: Ended[] = [];
  #telling = false;

  constructor(options: {
    readonly table: ProcessTable;
    readonly timers: ProcessTimers;
    readonly logger: Logger;
    readonly route: (signal: Signal) => void;
  }) {
    this.#table = options.table;
    this.#timers = options.timers;
    this.#logger = options.logger;
    this.#route = options.route;
  }

  /** Ends a process because of what its code threw. */
  crash(process: Process, thrown: unknown): void {
    if (process.status === "ended") return; // It was ended while this step awaited.
    const reason = thrown instanceof ExitError ? thrown.reason : crashed(thrown);
    reportCrash(this.#logger, process, reason);
    this.end(process, reason);
  }

  /** Ends a process. The second end of a process does nothing. */
  end(process: Process, because: ExitReason): void {
    if (process.status === "ended") return;
    const reason = plainReason(because);
    process.status = "ended";
    this.#table.remove(process);
    this.relatedAway.delete(process);
    this.#untold.push({ process, reason });
    if (this.#telling) return;
    this.#telling = true;
    let next: Ended | undefined;
    // Oldest first, or the ends of two processes could reach a third in the wrong order.
    for (let index = 0; (next = this.#untold[index]) !== undefined; index += 1) this.#tell(next);
    this.#untold.length = 0;
    this.#telling = false;
  }

  #tell({ process, reason }: Ended): void {
    const { relations, code } = process;
    process.mailbox = undefined;
    process.current = undefined;
    for (const call of oldestFirst(process.openCalls))
      call.settle(failed(ended(process, reason, call)));
    if (process.started !== undefined) {
      const { started } = process;
      process.started = undefined;
      started(reason);
    }
    if (relations !== undefined) this.#tellRelations(process, relations, reason);
    const { ended: release } = code as Partial<Behaviour>;
    if (release !== undefined) this.#guard(process, () => release.call(code, reason));
    process.relations = undefined;
  }

  #tellRelations(process: Process, relations: Relations, reason: ExitReason): void {
    for (const stop of relations.monitoring?.values() ?? []) stop();
    for (const ref of relations.timers ?? []) this.#timers.cancel(ref);
    relations.cancelLook?.();
    abandonReceive(process, reason);
    for (const peer of relations.links?.values() ?? [])
      this.#route({ type: "exit", to: peer, from: process.pid, reason, linked: true });
    for (const watcher of relations.watchers?.values() ?? [])
      this.#guard(process, () => watcher(reason, process.pid));
    relations.abort?.abort(abortError(process, reason));
  }

  /** Runs code that has nobody to throw to. */
  #guard(process: Process, run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.#logger.error(
        { event: "observer_failed", pid: process.pid.toString(), error: errorData(thrown) },
        `what observes the end of ${process.pid} failed: ${errorData(thrown).message}`,
      );
    }
  }
}

/** In the order in which they were made: so they are told, and so those that are made again follow each other (C3). */
function oldestFirst(newest: OpenCall | undefined): OpenCall[] {
  const calls: OpenCall[] = [];
  for (let call = newest; call !== undefined; call = call.older) calls.push(call);
  return calls.reverse();
}

/** What `AbortSignal` users expect, with the exit as its cause. */
function abortError(process: Process, reason: ExitReason): DOMException {
  const cause = new ExitError(reason);
  return new DOMException(`${process.title} ended`, { name: "AbortError", cause });
}
