/**
 * Streams of tasks: a function run on every input, several at a time, each in a task of its own.
 *
 * Invariants:
 *   T1. An input is taken only while a result is being asked for, and at most as far ahead as tasks may run and results
 *       may wait.
 *   T2. However the stream ends, no task of it runs on.
 *
 * @module
 */
import { type Cancel, errorData, type ExitReason, kill, type Self } from "@coppice/kernel";
import { TaskTimeoutError } from "./task-errors.ts";
import type { TaskOwner } from "./task-owner.ts";
import {
  checkMs,
  type RunningTask,
  stopTask,
  type TaskFunction,
  type TaskOutcome,
} from "./task-process.ts";
import { TaskStreamState } from "./task-stream-state.ts";

/** How many tasks of a stream run at a time unless it says otherwise. */
export const streamConcurrencyDefault = 8;

/** How a stream runs its tasks. `Z` is the type of `zipInputOnExit`. */
export interface TaskStreamOptions<Z extends boolean = boolean> {
  /** The most tasks at a time. Default: 8; tasks of one node share its thread, so more helps what waits. */
  readonly maxConcurrency?: number;
  /** Whether results come in the order of their inputs, or as they are there. Default: true. */
  readonly ordered?: boolean;
  /** How long one task may take, in milliseconds; `Infinity` is without limit. Default: 5_000. */
  readonly timeoutMs?: number;
  /**
   * What a task that takes longer means: `exit` ends the stream with a `TaskTimeoutError`; `kill_task` kills the task,
   * whose result is `{ ok: false, reason: { type: "exit", value: "timeout" } }`. Default: `exit`.
   */
  readonly onTimeout?: "exit" | "kill_task";
  /** Whether a result that is not ok carries its `input`. Default: false. */
  readonly zipInputOnExit?: Z;
  /** How long tasks that are stopped may take before they are killed, in milliseconds. Default: 5_000. */
  readonly shutdownMs?: number;
}

/** What may be streamed over. */
export type StreamInputs<I> = Iterable<I> | AsyncIterable<I>;

/** The work on one input. */
export type StreamFunction<I, T> = (input: I, self: Self) => T | Promise<T>;

/** The result for one input. */
export type TaskStreamResult<I, T, Z extends boolean = false> =
  | { readonly ok: true; readonly value: T }
  | (Z extends true
      ? { readonly ok: false; readonly reason: ExitReason; readonly input: I }
      : { readonly ok: false; readonly reason: ExitReason });

/** The results, one for each input. Iterate it once. */
export type TaskStream<I, T, Z extends boolean = false> = AsyncGenerator<
  TaskStreamResult<I, T, Z>,
  void,
  void
>;

/** What a stream works on. */
export interface StreamWork<I, T> {
  readonly owner: TaskOwner;
  /** Whether its tasks are linked to the owner. */
  readonly isLinked: boolean;
  readonly inputs: StreamInputs<I>;
  readonly run: StreamFunction<I, T>;
  readonly launch: (work: TaskFunction<T>) => RunningTask<T> | Promise<RunningTask<T>>;
}

/** Starts nothing until the first result is asked for. @throws {RangeError} if an option is out of range. */
export function streamTasks<I, T, Z extends boolean>(
  work: StreamWork<I, T>,
  options: TaskStreamOptions<Z>,
): TaskStream<I, T, Z> {
  const {
    maxConcurrency = streamConcurrencyDefault,
    ordered = true,
    timeoutMs = 5_000,
    shutdownMs = 5_000,
    onTimeout = "exit",
    zipInputOnExit = false,
  } = options;
  if (!Number.isInteger(maxConcurrency) || maxConcurrency < 1)
    throw new RangeError(`maxConcurrency must be a whole number, 1 or more, not ${maxConcurrency}`);
  if (onTimeout !== "exit" && onTimeout !== "kill_task")
    throw new RangeError(`onTimeout must be exit or kill_task, not ${String(onTimeout)}`);
  checkMs("timeoutMs", timeoutMs);
  checkMs("shutdownMs", shutdownMs);
  const settled = { maxConcurrency, ordered, timeoutMs, shutdownMs, onTimeout, zipInputOnExit };
  return new StreamRun(work, settled).results() as TaskStream<I, T, Z>;
}

/** One stream while it is iterated. */
class StreamRun<I, T> {
  readonly #work: StreamWork<I, T>;
  readonly #options: Required<TaskStreamOptions>;
  readonly #state: TaskStreamState<TaskStreamResult<I, T, boolean>>;
  readonly #live = new Set<RunningTask<T>>();
  /** Why the stream ends before its inputs do. */
  #failure: { readonly thrown: unknown } | undefined;
  #isExhausted = false;
  #isPulling = false;
  /** A result is being asked for. */
  #isAsked = false;
  #isOver = false;
  #change = Promise.withResolvers<void>();

  constructor(work: StreamWork<I, T>, options: Required<TaskStreamOptions>) {
    this.#work = work;
    this.#options = options;
    this.#state = new TaskStreamState(options);
  }

  async *results(): AsyncGenerator<TaskStreamResult<I, T, boolean>, void, void> {
    const { kernel, pid } = this.#work.owner;
    const source = iteratorOf(this.#work.inputs);
    const unwatch =
      pid === undefined ? undefined : kernel.monitor(pid, () => void this.#ownerEnded());
    try {
      while (true) {
        this.#isAsked = true;
        if (!this.#isPulling && this.#mayPull) void this.#pull(source);
        if (this.#failure !== undefined) throw this.#failure.thrown;
        const result = this.#state.take();
        if (result !== undefined) {
          this.#isAsked = false;
          yield result;
        } else if (this.#isExhausted && this.#state.isEmpty) {
          return;
        } else {
          await this.#change.promise;
          this.#change = Promise.withResolvers();
        }
      }
    } finally {
      this.#isOver = true;
      unwatch?.();
      await this.#stopAll();
      await this.#close(source);
    }
  }

  /** Whether somebody asks, and one more task may start (T1). */
  get #mayPull(): boolean {
    return this.#isAsked && !this.#isOver && !this.#isExhausted && this.#state.hasRoom;
  }

  /** Takes inputs and starts tasks, one after another. */
  async #pull(source: Iterator<I> | AsyncIterator<I>): Promise<void> {
    this.#isPulling = true;
    try {
      while (this.#mayPull) {
        const next = await this.#next(source);
        if (next.done === true) this.#isExhausted = true;
        else if (!this.#isOver) await this.#begin(next.value);
      }
    } catch (thrown) {
      this.#failure ??= { thrown };
    } finally {
      this.#isPulling = false;
      this.#change.resolve();
    }
  }

  async #next(source: Iterator<I> | AsyncIterator<I>): Promise<IteratorResult<I>> {
    try {
      return await source.next();
    } catch (thrown) {
      this.#isExhausted = true; // A source that failed has cleaned up.
      throw thrown;
    }
  }

  async #begin(input: I): Promise<void> {
    const { owner, isLinked, run, launch } = this.#work;
    const { timeoutMs, shutdownMs, zipInputOnExit } = this.#options;
    const place = this.#state.start();
    const task = await launch(async (self) => {
      const value = await run(input, self);
      // An owner that traps exits would find a message of every task that has done its work.
      if (isLinked && owner.pid !== undefined) self.unlink(owner.pid);
      return value;
    });
    this.#live.add(task);
    let isLate = false;
    const late = (): void => {
      isLate = true;
      this.#timedOut(task);
    };
    const cancel: Cancel =
      timeoutMs === Infinity ? () => {} : owner.kernel.clock.after(timeoutMs, late);
    const ended = (outcome: TaskOutcome<T>): void => {
      cancel();
      this.#live.delete(task);
      const shown = isLate && !outcome.ok ? timedOut : outcome;
      this.#state.end(place, shown.ok || !zipInputOnExit ? shown : { ...shown, input });
      this.#change.resolve();
    };
    void task.outcome.then(ended);
    if (this.#isOver) await stopTask(owner.kernel, task, { owner: owner.pid, shutdownMs });
  }

  #timedOut(task: RunningTask<T>): void {
    const { kernel, pid } = this.#work.owner;
    const { onTimeout, timeoutMs } = this.#options;
    if (onTimeout === "exit") {
      this.#failure ??= { thrown: new TaskTimeoutError(task.pid, timeoutMs) };
      this.#change.resolve();
      return;
    }
    if (pid !== undefined) kernel.unlink(pid, task.pid);
    kernel.exit(task.pid, kill);
  }

  /** Stops at once what runs: nobody may ask for a result again. */
  async #ownerEnded(): Promise<void> {
    const { pid } = this.#work.owner;
    const ended = new DOMException(
      `process ${String(pid)}, which streams, has ended`,
      "AbortError",
    );
    this.#failure ??= { thrown: ended };
    this.#isOver = true;
    this.#change.resolve();
    await this.#stopAll();
  }

  async #stopAll(): Promise<void> {
    const { owner } = this.#work;
    const { shutdownMs } = this.#options;
    const how = { owner: owner.pid, shutdownMs };
    await Promise.all([...this.#live].map((task) => stopTask(owner.kernel, task, how)));
  }

  /** Lets the source clean up. One that is being asked for an input is not waited for: it may never answer. */
  async #close(source: Iterator<I> | AsyncIterator<I>): Promise<void> {
    if (this.#isExhausted) return;
    const closing = Promise.try(async () => source.return?.());
    if (!this.#isPulling) return void (await closing);
    const { logger } = this.#work.owner.kernel;
    closing.catch((thrown: unknown) => {
      const error = errorData(thrown);
      logger.warn({ event: "stream_source_failed", error }, `a stream's source: ${error.message}`);
    });
  }
}

const timedOut: TaskOutcome<never> = { ok: false, reason: { type: "exit", value: "timeout" } };

function iteratorOf<I>(inputs: StreamInputs<I>): Iterator<I> | AsyncIterator<I> {
  return Symbol.asyncIterator in inputs
    ? inputs[Symbol.asyncIterator]()
    : inputs[Symbol.iterator]();
}
