/**
 * Tasks: a process that runs one function, and hands its result to the process that started it (C13).
 *
 * A task belongs to its owner, who alone may await it. Its owner is a process (pass its `self`) or code outside of any
 * process (pass the kernel). `Task.async` links the two: when one crashes, so does the other. Outside of a process there
 * is nothing to link: a task's crash is seen by awaiting it, and the task goes on when nobody does.
 *
 * @example Two lookups at once
 * ```ts
 * import assert from "node:assert/strict";
 * import { Kernel, silentLogger, systemClock, systemRandom } from "@coppice/kernel";
 * import { Task } from "@coppice/otp";
 *
 * const kernel = new Kernel({
 *   node: "a", incarnation: "1", clock: systemClock, random: systemRandom, logger: silentLogger,
 * });
 * const price = Task.async(kernel, async () => 42);
 * const stock = Task.async(kernel, () => "7 left");
 * assert.equal(await price.await(kernel), 42);
 * assert.deepEqual(await stock.yield(kernel, { timeoutMs: 1_000 }), { ok: true, value: "7 left" });
 *
 * const lengths: number[] = [];
 * for await (const result of Task.asyncStream(kernel, ["a", "bcd"], (word) => word.length))
 *   if (result.ok) lengths.push(result.value);
 * assert.deepEqual(lengths, [1, 3]);
 * ```
 *
 * @module
 */
import { Kernel, type Pid, samePid, type Self, type SpawnOptions } from "@coppice/kernel";
import { TaskTimeoutError } from "./task-errors.ts";
import {
  checkMs,
  type RunningTask,
  startTaskProcess,
  stopTask,
  type TaskFunction,
  type TaskOptions,
  type TaskOutcome,
  valueOf,
} from "./task-process.ts";
import { deliverTo, type TaskCaller, type TaskOwner, taskOwner } from "./task-owner.ts";
import {
  type StreamFunction,
  type StreamInputs,
  streamTasks,
  type TaskStream,
  type TaskStreamOptions,
} from "./task-stream.ts";

/** How long to wait for a task unless it is said otherwise, in milliseconds, as OTP. */
export const taskTimeoutMsDefault = 5_000;

/** How long to wait. */
export interface TaskWaitOptions {
  /** In milliseconds; `Infinity` waits without limit. Default: 5_000. */
  readonly timeoutMs?: number;
}

/** A task, in the hands of its owner. */
export class Task<T> {
  readonly pid: Pid;
  /** The process that may await it; undefined: code outside of any process. */
  readonly owner: Pid | undefined;
  readonly #kernel: Kernel;
  readonly #running: RunningTask<T>;
  readonly #delivers: boolean;
  /** Its outcome was handed out, or is not wanted any more. */
  #isOver = false;

  /** Tasks are made by {@link Task.async} and its sisters, and by task supervisors. */
  constructor(running: RunningTask<T>, owner: TaskOwner, options: TaskOptions) {
    this.pid = running.pid;
    this.owner = owner.pid;
    this.#kernel = owner.kernel;
    this.#running = running;
    this.#delivers = options.deliver ?? false;
  }

  /**
   * Starts a task that is linked to the caller: when it crashes, a caller that does not trap exits ends with the same
   * reason, and when the caller ends abnormally, the task does.
   */
  static async<T>(caller: TaskCaller, run: TaskFunction<T>, options: TaskOptions = {}): Task<T> {
    const { kernel, pid } = taskOwner(caller);
    return Task.#start(caller, run, options, kernel, pid === undefined ? {} : { link: pid });
  }

  /** Starts a task that is not linked to the caller: only waiting for it shows that it crashed. */
  static asyncNolink<T>(
    caller: TaskCaller,
    run: TaskFunction<T>,
    options: TaskOptions = {},
  ): Task<T> {
    const { kernel, pid } = taskOwner(caller);
    // What a process does after its end has no effect: linked to an ended one, the task ends before it runs.
    const link = pid !== undefined && !kernel.isAlive(pid) ? { link: pid } : {};
    return Task.#start(caller, run, options, kernel, link);
  }

  static #start<T>(
    caller: TaskCaller,
    run: TaskFunction<T>,
    options: TaskOptions,
    kernel: Kernel,
    link: SpawnOptions,
  ): Task<T> {
    const owner = taskOwner(caller);
    const deliver = deliverTo(owner, options);
    const running = startTaskProcess(kernel, run, {
      ...(owner.pid === undefined ? {} : { parent: owner.pid }),
      ...(options.label === undefined ? {} : { label: options.label }),
      ...link,
    });
    deliver(running);
    return new Task(running, owner, options);
  }

  /**
   * Runs a function on every input, several at a time, each in a task linked to the caller; see {@link TaskStreamOptions}.
   * Inputs are taken as results are asked for. When the consumer stops, tasks that still run are shut down.
   *
   * A task that crashes ends a caller that does not trap exits. For one that does, and outside of a process, its result is
   * `{ ok: false, reason }`.
   *
   * @throws {RangeError} if an option is out of range.
   * @throws {TaskTimeoutError} (while iterating) if a task takes longer than `timeoutMs` and `onTimeout` is `exit`.
   */
  static asyncStream<I, T, Z extends boolean = false>(
    caller: TaskCaller,
    inputs: StreamInputs<I>,
    run: StreamFunction<I, T>,
    options: TaskStreamOptions<Z> = {},
  ): TaskStream<I, T, Z> {
    const { kernel, pid } = taskOwner(caller);
    const link = pid === undefined ? {} : { link: pid };
    const launch = (work: TaskFunction<T>): RunningTask<T> => startTaskProcess(kernel, work, link);
    return streamTasks({ owner: { kernel, pid }, isLinked: true, inputs, run, launch }, options);
  }

  /**
   * Waits for the result. The owner may do so once.
   *
   * @throws {TaskExitedError} if the task crashed or was stopped.
   * @throws {TaskTimeoutError} if it takes longer than `timeoutMs`. It runs on, unless the link ends it with its owner:
   *   shut it down, or it is lost. What it returns is dropped.
   * @throws {TypeError} if the caller is not the owner, or the outcome was handed out before.
   * @throws {DOMException} `AbortError` if the owner ends meanwhile.
   */
  async await(caller: TaskCaller, options: TaskWaitOptions = {}): Promise<T> {
    const { timeoutMs = taskTimeoutMsDefault } = options;
    const outcome = await this.#wait(caller, timeoutMs);
    this.#isOver = true;
    if (outcome === undefined) throw new TaskTimeoutError(this.pid, timeoutMs);
    return valueOf(outcome, this.pid);
  }

  /**
   * Waits for the outcome, and returns undefined if the task takes longer: it may be asked again.
   *
   * @throws {TypeError} as {@link Task.await}.
   * @throws {DOMException} as {@link Task.await}.
   */
  async yield(
    caller: TaskCaller,
    options: TaskWaitOptions = {},
  ): Promise<TaskOutcome<T> | undefined> {
    const { timeoutMs = taskTimeoutMsDefault } = options;
    const outcome = await this.#wait(caller, timeoutMs);
    this.#isOver ||= outcome !== undefined;
    return outcome;
  }

  /**
   * Stops the task without ending its owner. Asks first, and kills after `shutdownMs` milliseconds (0: at once; default:
   * 5_000): a task that does not trap exits ends at once. Returns the outcome of a task that had ended by itself, so that
   * a result that came in time is not lost; otherwise undefined.
   *
   * @throws {TypeError} if the caller is not the owner.
   */
  async shutdown(
    caller: TaskCaller,
    options: { readonly shutdownMs?: number } = {},
  ): Promise<TaskOutcome<T> | undefined> {
    const { shutdownMs = taskTimeoutMsDefault } = options;
    checkMs("shutdownMs", shutdownMs);
    this.#checkOwner(caller);
    this.#isOver = true;
    return stopTask(this.#kernel, this.#running, { owner: this.owner, shutdownMs });
  }

  #checkOwner(caller: TaskCaller): void {
    const { kernel, pid } = taskOwner(caller);
    const isOwner =
      pid === undefined || this.owner === undefined ? pid === this.owner : samePid(pid, this.owner);
    if (isOwner && kernel === this.#kernel) return;
    const owner = this.owner ?? "code outside of any process";
    throw new TypeError(`task ${this.pid} belongs to ${owner}: only its owner may wait for it`);
  }

  async #wait(caller: TaskCaller, timeoutMs: number): Promise<TaskOutcome<T> | undefined> {
    checkMs("timeoutMs", timeoutMs);
    this.#checkOwner(caller);
    if (this.#delivers) throw new TypeError(`task ${this.pid} delivers its outcome as a message`);
    if (this.#isOver) throw new TypeError(`task ${this.pid} was awaited or shut down before`);
    const { promise, resolve, reject } = Promise.withResolvers<TaskOutcome<T> | undefined>();
    const cancel =
      timeoutMs === Infinity
        ? undefined
        : this.#kernel.clock.after(timeoutMs, () => resolve(undefined));
    const signal = caller instanceof Kernel ? undefined : (caller satisfies Self).signal;
    const onAbort = (): void => reject(signal?.reason as Error);
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort);
    void this.#running.outcome.then(resolve);
    try {
      return await promise;
    } finally {
      cancel?.();
      signal?.removeEventListener("abort", onAbort);
    }
  }
}
