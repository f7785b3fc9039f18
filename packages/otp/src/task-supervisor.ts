/**
 * Task supervisors: where tasks run whose number is limited, that are restarted, or that end with a part of the tree (C13).
 *
 * @example At most two downloads
 * ```ts
 * import assert from "node:assert/strict";
 * import { Kernel, silentLogger, systemClock, systemRandom } from "@coppice/kernel";
 * import { startSupervisor, taskSupervisor, TaskSupervisor } from "@coppice/otp";
 *
 * const kernel = new Kernel({
 *   node: "a", incarnation: "1", clock: systemClock, random: systemRandom, logger: silentLogger,
 * });
 * await startSupervisor(kernel, {
 *   strategy: "one_for_one",
 *   children: [taskSupervisor({ name: "downloads", maxChildren: 2 })],
 * });
 * const downloads = new TaskSupervisor(kernel, "downloads");
 * const page = await downloads.asyncNolink(kernel, async () => "<p>hello</p>");
 * assert.equal(await page.await(kernel), "<p>hello</p>");
 * ```
 *
 * @module
 */
import {
  type Behaviour,
  type Kernel,
  type Pid,
  type SpawnOptions,
  type StartResult,
  timerMsMax,
} from "@coppice/kernel";
import { checkChildSpec, type ChildSpec } from "./child-spec.ts";
import { localNames } from "./names.ts";
import { restartIntensityDefault } from "./restart-intensity.ts";
import type { Restart } from "./restart-policy.ts";
import { Task } from "./task.ts";
import { MaxChildrenError } from "./task-errors.ts";
import { deliverTo, type TaskCaller, taskOwner } from "./task-owner.ts";
import {
  type RunningTask,
  type TaskFunction,
  type TaskOptions,
  type TaskOutcome,
  TaskProcess,
} from "./task-process.ts";
import {
  type StreamFunction,
  type StreamInputs,
  streamTasks,
  type TaskStream,
  type TaskStreamOptions,
} from "./task-stream.ts";
import { type StartedTask, TaskSupervisorProcess } from "./task-supervisor-process.ts";

/** The most tasks of a supervisor unless it says otherwise. */
export const taskChildrenMaxDefault = 1_000_000;

/** How a task supervisor works. */
export interface TaskSupervisorOptions {
  /** The most tasks at a time. Default: {@link taskChildrenMaxDefault}. */
  readonly maxChildren?: number;
  /** How many restarts, of all its tasks together, are tolerated within `maxSeconds`. Default: 3. */
  readonly maxRestarts?: number;
  /** Default: 5. */
  readonly maxSeconds?: number;
}

/** How a supervised task is started. */
export interface SupervisedTaskOptions extends TaskOptions {
  /** How long it may take to stop before it is killed, in milliseconds; 0 kills at once. Default: 5_000. */
  readonly shutdownMs?: number;
}

/** How a task that nobody awaits is started. */
export interface StartTaskOptions {
  readonly label?: string;
  /** When it is started again. Default: `temporary`. */
  readonly restart?: Restart;
  /** As {@link SupervisedTaskOptions.shutdownMs}. */
  readonly shutdownMs?: number;
}

/** The outcome of starting such a task: being full is expected. */
export type StartTaskResult =
  | { readonly ok: true; readonly pid: Pid }
  | { readonly ok: false; readonly error: "max_children" };

/** The outcome of stopping one. */
export type TerminateTaskResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: "not_found" };

/** Starts a task supervisor. @throws {RangeError} if an option is out of range. */
export function startTaskSupervisor(
  kernel: Kernel,
  options: TaskSupervisorOptions = {},
  spawnOptions: SpawnOptions = {},
): Promise<StartResult> {
  const { maxRestarts, maxSeconds } = { ...restartIntensityDefault, ...options };
  const { maxChildren = taskChildrenMaxDefault } = options;
  const wrong = (what: string): never => {
    throw new RangeError(what);
  };
  if (maxChildren !== Infinity && (!Number.isInteger(maxChildren) || maxChildren < 0))
    wrong(`maxChildren must be a whole number, 0 or more, or Infinity, not ${maxChildren}`);
  if (!Number.isInteger(maxRestarts) || maxRestarts < 0)
    wrong(`maxRestarts must be a whole number, 0 or more, not ${maxRestarts}`);
  if (!Number.isInteger(maxSeconds) || maxSeconds < 1)
    wrong(`maxSeconds must be a whole number, 1 or more, not ${maxSeconds}`);
  const limits = { maxChildren, maxRestarts, maxSeconds };
  const process = new TaskSupervisorProcess(limits, { kernel, names: localNames });
  return kernel.start(process, { kind: "task-supervisor", ...spawnOptions, trapExit: true });
}

/**
 * A task supervisor as a child of a supervisor. Its id is its name unless it says otherwise; the name is local, on a cluster too:
 * each node has its own.
 */
export function taskSupervisor(
  spec: TaskSupervisorOptions & { readonly name: string } & Partial<
      Pick<ChildSpec, "id" | "restart" | "shutdownMs" | "significant">
    >,
): ChildSpec {
  const { name, maxChildren, maxRestarts, maxSeconds, ...child } = spec;
  const options: TaskSupervisorOptions = {
    ...(maxChildren === undefined ? {} : { maxChildren }),
    ...(maxRestarts === undefined ? {} : { maxRestarts }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
  };
  return {
    id: name,
    ...child,
    type: "supervisor",
    start: async (spawnOptions, { kernel }) =>
      startTaskSupervisor(kernel, options, { ...spawnOptions, name }),
  };
}

/**
 * A task supervisor of this node, by its pid or its name. Requests wait while it stops a task, without a limit, as in
 * OTP. On one that has ended they throw a `CallError` with `noproc`.
 */
export class TaskSupervisor {
  readonly #kernel: Kernel;
  readonly #supervisor: Pid | string;

  constructor(kernel: Kernel, supervisor: Pid | string) {
    this.#kernel = kernel;
    this.#supervisor = supervisor;
  }

  /**
   * Starts a task that is linked to the caller, as {@link Task.async}, and to the supervisor.
   *
   * @throws {MaxChildrenError} if there are as many tasks as there may be.
   * @throws {ChildSpecError} if `shutdownMs` cannot be used.
   */
  async async<T>(
    caller: TaskCaller,
    run: TaskFunction<T>,
    options: SupervisedTaskOptions = {},
  ): Promise<Task<T>> {
    return this.#task(caller, run, options, taskOwner(caller).pid);
  }

  /** Starts a task that is linked to the supervisor alone. @throws {MaxChildrenError} as {@link TaskSupervisor.async}. */
  async asyncNolink<T>(
    caller: TaskCaller,
    run: TaskFunction<T>,
    options: SupervisedTaskOptions = {},
  ): Promise<Task<T>> {
    return this.#task(caller, run, options, undefined);
  }

  /**
   * Starts a task that nobody waits for. One that is `permanent` or `transient` is started again with the same function.
   *
   * @throws {ChildSpecError} if `restart` or `shutdownMs` cannot be used.
   */
  async startChild(
    run: TaskFunction<unknown>,
    options: StartTaskOptions = {},
  ): Promise<StartTaskResult> {
    const started = await this.#start(() => new TaskProcess(run), options, undefined);
    return started.ok ? started : { ok: false, error: started.error };
  }

  /** The tasks that run. */
  async children(): Promise<readonly Pid[]> {
    return (await this.#call("children")) as readonly Pid[];
  }

  /** Stops a task, of whichever restart type, and forgets it. */
  async terminateChild(pid: Pid): Promise<TerminateTaskResult> {
    const found = (await this.#call("terminateChild", pid)) as boolean;
    return found ? { ok: true } : { ok: false, error: "not_found" };
  }

  /**
   * {@link Task.asyncStream} with its tasks under this supervisor.
   *
   * @throws {RangeError} if an option is out of range.
   * @throws {MaxChildrenError} (while iterating) if there are as many tasks as there may be; those of the stream end.
   * @throws {TaskTimeoutError} (while iterating) as {@link Task.asyncStream}.
   */
  asyncStream<I, T, Z extends boolean = false>(
    caller: TaskCaller,
    inputs: StreamInputs<I>,
    run: StreamFunction<I, T>,
    options: TaskStreamOptions<Z> = {},
  ): TaskStream<I, T, Z> {
    return this.#stream(caller, inputs, run, options, true);
  }

  /** The same with tasks that are not linked to the caller: one that crashes is a result that is not ok. */
  asyncStreamNolink<I, T, Z extends boolean = false>(
    caller: TaskCaller,
    inputs: StreamInputs<I>,
    run: StreamFunction<I, T>,
    options: TaskStreamOptions<Z> = {},
  ): TaskStream<I, T, Z> {
    return this.#stream(caller, inputs, run, options, false);
  }

  async #task<T>(
    caller: TaskCaller,
    run: TaskFunction<T>,
    options: SupervisedTaskOptions,
    link: Pid | undefined,
  ): Promise<Task<T>> {
    const owner = taskOwner(caller);
    const deliver = deliverTo(owner, options);
    const running = await this.#launch(run, options, link);
    deliver(running);
    return new Task(running, owner, options);
  }

  #stream<I, T, Z extends boolean>(
    caller: TaskCaller,
    inputs: StreamInputs<I>,
    run: StreamFunction<I, T>,
    options: TaskStreamOptions<Z>,
    isLinked: boolean,
  ): TaskStream<I, T, Z> {
    const owner = taskOwner(caller);
    const { shutdownMs } = options;
    const how = shutdownMs === undefined ? {} : { shutdownMs };
    const link = isLinked ? owner.pid : undefined;
    const launch = (work: TaskFunction<T>): Promise<RunningTask<T>> =>
      this.#launch(work, how, link);
    return streamTasks({ owner, isLinked, inputs, run, launch }, options);
  }

  async #launch<T>(
    run: TaskFunction<T>,
    options: SupervisedTaskOptions,
    link: Pid | undefined,
  ): Promise<RunningTask<T>> {
    const { promise, resolve } = Promise.withResolvers<TaskOutcome<T>>();
    const started = await this.#start(() => new TaskProcess(run, resolve), options, link);
    if (!started.ok) throw new MaxChildrenError(started.maxChildren);
    return { pid: started.pid, outcome: promise };
  }

  async #start(
    make: () => Behaviour,
    options: StartTaskOptions,
    link: Pid | undefined,
  ): Promise<StartedTask> {
    const { label = "task", restart = "temporary", shutdownMs } = options;
    const spec: ChildSpec = {
      id: label,
      restart,
      ...(shutdownMs === undefined ? {} : { shutdownMs }),
      start: async (spawnOptions, { kernel }) => {
        const pid = kernel.spawn(make(), { kind: "task", ...spawnOptions });
        // Before the task can have run, so that neither end is missed (A4.6).
        if (link !== undefined) kernel.link(pid, link);
        return { type: "started", pid };
      },
    };
    checkChildSpec(spec, false);
    return (await this.#call("startTask", spec)) as StartedTask;
  }

  #call(method: string, ...args: readonly unknown[]): Promise<unknown> {
    const options = { local: true, timeoutMs: timerMsMax };
    return this.#kernel.call(this.#supervisor, method, args, options);
  }
}
