/**
 * How waiting for a task fails, so that a caller can handle it by class or by `code`.
 *
 * @module
 */
import { CoppiceError, describeReason, type ExitReason, type Pid } from "@coppice/kernel";

/** The task ended without a result. `reason` is its exit reason. */
export class TaskExitedError extends CoppiceError {
  static {
    this.prototype.name = "TaskExitedError";
  }
  readonly code = "task_exited";
  readonly reason: ExitReason;
  readonly task: Pid;
  /** Shown in the exit reason of a process that does not handle this error. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(task: Pid, reason: ExitReason) {
    super(`task ${task} ended without a result: ${describeReason(reason)}`);
    this.task = task;
    this.reason = reason;
    this.details = { task: task.toString(), reason };
  }
}

/** The task did not end in time. It may still run; what it returns is dropped. */
export class TaskTimeoutError extends CoppiceError {
  static {
    this.prototype.name = "TaskTimeoutError";
  }
  readonly code = "task_timeout";
  readonly task: Pid;
  readonly timeoutMs: number;

  constructor(task: Pid, timeoutMs: number) {
    super(`task ${task} did not end within ${timeoutMs} ms; it may still run`);
    this.task = task;
    this.timeoutMs = timeoutMs;
  }
}

/** A task supervisor has as many tasks as it may: this one did not start. */
export class MaxChildrenError extends CoppiceError {
  static {
    this.prototype.name = "MaxChildrenError";
  }
  readonly code = "max_children";
  readonly maxChildren: number;

  constructor(maxChildren: number) {
    super(
      `reached the maximum number of tasks (${maxChildren}) of this task supervisor: wait, or raise maxChildren`,
    );
    this.maxChildren = maxChildren;
  }
}
