/**
 * Who a task belongs to: a process, or code outside of any.
 *
 * @module
 */
import { Kernel, type Pid, type Self } from "@coppice/kernel";
import type { RunningTask, TaskEnded, TaskOptions, TaskOutcome } from "./task-process.ts";

/** Who starts a task or waits for it: a process by its `self`, other code by the kernel. */
export type TaskCaller = Self | Kernel;

/** A caller, taken apart. */
export interface TaskOwner {
  readonly kernel: Kernel;
  readonly pid: Pid | undefined;
}

export function taskOwner(caller: TaskCaller): TaskOwner {
  return caller instanceof Kernel
    ? { kernel: caller, pid: undefined }
    : { kernel: caller.kernel, pid: caller.pid };
}

/**
 * Prepares what delivers a task's outcome to its owner, if `options` ask for it.
 *
 * @throws {TypeError} if there is no process to deliver it to.
 */
export function deliverTo(
  { kernel, pid }: TaskOwner,
  options: TaskOptions,
): (task: RunningTask<unknown>) => void {
  if (options.deliver !== true) return () => {};
  if (pid === undefined)
    throw new TypeError("deliver needs a process to deliver to: start the task with its self");
  return (task) => {
    const tell = (outcome: TaskOutcome<unknown>): void => {
      const message: TaskEnded = { type: "task_ended", pid: task.pid, outcome };
      kernel.side.remind(pid, message, false);
    };
    void task.outcome.then(tell);
  };
}
