/**
 * The process of a task: it runs one function, and ends with it.
 *
 * @module
 */
import {
  type Behaviour,
  type ExitReason,
  type Incoming,
  type Kernel,
  kill,
  normal,
  type Pid,
  type Self,
  shutdown,
  type SpawnOptions,
} from "@coppice/kernel";
import { TaskExitedError } from "./task-errors.ts";

/** The work of a task. `self.signal` fires when it is stopped; what it does after that has no effect. */
export type TaskFunction<T> = (self: Self) => T | Promise<T>;

/** How a task ended. */
export type TaskOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: ExitReason };

/** How a task is started. */
export interface TaskOptions {
  /** What people see it as. */
  readonly label?: string;
  /**
   * Sends the outcome to the owner, a process, as the plain message {@link TaskEnded} instead of keeping it to be awaited.
   * The message comes also when the owner's mailbox is full. Default: false.
   */
  readonly deliver?: boolean;
}

/** The message of a task with `deliver`: exactly one comes for each, unless the owner has ended. */
export interface TaskEnded<T = unknown> {
  readonly type: "task_ended";
  /** The task's pid. */
  readonly pid: Pid;
  readonly outcome: TaskOutcome<T>;
}

/** A task that was started: who it is, and how it will have ended. The promise never rejects. */
export interface RunningTask<T> {
  readonly pid: Pid;
  readonly outcome: Promise<TaskOutcome<T>>;
}

/** The behaviour of a task. */
export class TaskProcess<T> implements Behaviour {
  readonly #run: TaskFunction<T>;
  readonly #onEnd: ((outcome: TaskOutcome<T>) => void) | undefined;
  #result: { readonly value: T } | undefined;

  constructor(run: TaskFunction<T>, onEnd?: (outcome: TaskOutcome<T>) => void) {
    this.#run = run;
    this.#onEnd = onEnd;
  }

  start(self: Self): void {
    const finish = (value: T): void => {
      this.#result = { value };
      self.exit(normal);
    };
    // Not awaited: the task is started, and goes on.
    void Promise.try(this.#run, self).then(finish, (thrown: unknown) => self.crash(thrown));
  }

  handle(message: Incoming): void {
    if (message.type !== "call") return;
    const failure = { code: "unknown_function", executed: "no" } as const;
    const text = `a task has no function ${message.method}: it cannot be called`;
    message.reply({ ok: false, failure: { ...failure, message: text } });
  }

  ended(reason: ExitReason): void {
    const result = reason.type === "normal" ? this.#result : undefined;
    this.#onEnd?.(result === undefined ? { ok: false, reason } : { ok: true, value: result.value });
  }
}

/** Starts a task's process. */
export function startTaskProcess<T>(
  kernel: Kernel,
  run: TaskFunction<T>,
  options: SpawnOptions,
): RunningTask<T> {
  const { promise, resolve } = Promise.withResolvers<TaskOutcome<T>>();
  const pid = kernel.spawn(new TaskProcess(run, resolve), { kind: "task", ...options });
  return { pid, outcome: promise };
}

/**
 * Stops a task: asks, waits, then kills. Its owner is unlinked first, so that stopping it does not end the owner.
 * Returns its outcome if it had ended by itself meanwhile, otherwise undefined.
 */
export async function stopTask<T>(
  kernel: Kernel,
  task: RunningTask<T>,
  options: { readonly owner: Pid | undefined; readonly shutdownMs: number },
): Promise<TaskOutcome<T> | undefined> {
  const { owner, shutdownMs } = options;
  if (owner !== undefined) kernel.unlink(owner, task.pid);
  const from = owner ?? task.pid;
  kernel.exit(task.pid, shutdownMs === 0 ? kill : shutdown, from);
  const cancel =
    shutdownMs === 0 || shutdownMs === Infinity
      ? undefined
      : kernel.clock.after(shutdownMs, () => kernel.exit(task.pid, kill, from));
  const outcome = await task.outcome;
  cancel?.();
  if (outcome.ok) return outcome;
  const { type } = outcome.reason;
  return type === "shutdown" || type === "killed" ? undefined : outcome;
}

/** What a task returned. @throws {TaskExitedError} if it did not. */
export function valueOf<T>(outcome: TaskOutcome<T>, task: Pid): T {
  if (outcome.ok) return outcome.value;
  throw new TaskExitedError(task, outcome.reason);
}

/** @throws {RangeError} if it is not a number of milliseconds. */
export function checkMs(name: string, ms: number): void {
  if (typeof ms !== "number" || Number.isNaN(ms) || ms < 0)
    throw new RangeError(`${name} must be 0 or more milliseconds, or Infinity, not ${String(ms)}`);
}
