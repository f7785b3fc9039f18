/**
 * The process of a task supervisor: starts tasks when asked, restarts those that want it, stops all at its end.
 *
 * What happens when a task ends is decided by the same policies as for any supervisor (`restart-policy.ts`,
 * `restart-intensity.ts`).
 *
 * @module
 */
import {
  type Behaviour,
  describeReason,
  type ExitReason,
  type Incoming,
  type Pid,
  type Self,
  shutdown,
} from "@coppice/kernel";
import { type ChildEnvironment, type ChildSpec, startChildProcess } from "./child-spec.ts";
import { type Child, stopChild } from "./child.ts";
import { recordRestart, type RestartHistory, type RestartIntensity } from "./restart-intensity.ts";
import { afterExit, isReported } from "./restart-policy.ts";

/** How many tasks, and how many restarts. */
export interface TaskSupervisorLimits extends RestartIntensity {
  readonly maxChildren: number;
}

/** What is answered to a request to start a task. */
export type StartedTask =
  | { readonly ok: true; readonly pid: Pid }
  | { readonly ok: false; readonly error: "max_children"; readonly maxChildren: number };

export class TaskSupervisorProcess implements Behaviour {
  readonly #limits: TaskSupervisorLimits;
  readonly #environment: ChildEnvironment;
  /** By the serial number of the task's pid: all of them are on this node. */
  readonly #children = new Map<number, Child>();
  #history: RestartHistory = [];

  constructor(limits: TaskSupervisorLimits, environment: ChildEnvironment) {
    this.#limits = limits;
    this.#environment = environment;
  }

  async handle(message: Incoming, self: Self): Promise<void> {
    if (message.type === "call") return this.#answer(message, self);
    if (message.type !== "exit") return;
    if (self.isParent(message.from)) return this.#stop(message.reason, self);
    const child = this.#children.get(message.from.serial);
    if (child !== undefined) await this.#childEnded(child, message.reason, self);
  }

  describe(): Readonly<Record<string, unknown>> {
    return { tasks: this.#children.size, ...this.#limits };
  }

  async #answer(message: Incoming & { readonly type: "call" }, self: Self): Promise<void> {
    const [about] = message.args;
    switch (message.method) {
      case "startTask":
        return message.reply({ ok: true, value: await this.#startTask(about as ChildSpec, self) });
      case "children":
        return message.reply({ ok: true, value: [...this.#children.values()].map(pidOf) });
      case "terminateChild":
        return message.reply({ ok: true, value: await this.#terminate(about as Pid, self) });
    }
    const text = `a task supervisor has no function ${message.method}: use a TaskSupervisor`;
    const failure = { code: "unknown_function", executed: "no", message: text } as const;
    message.reply({ ok: false, failure });
  }

  async #startTask(spec: ChildSpec, self: Self): Promise<StartedTask> {
    const { maxChildren } = this.#limits;
    if (this.#children.size >= maxChildren)
      return { ok: false, error: "max_children", maxChildren };
    return { ok: true, pid: await this.#start({ spec, state: "stopped", restarts: 0 }, self) };
  }

  async #start(child: Child, self: Self): Promise<Pid> {
    const options = { link: self.pid, restarts: child.restarts };
    const result = await startChildProcess(child.spec, options, this.#environment);
    if (result.type !== "started") throw new Error("a task starts at once and cannot fail to");
    child.pid = result.pid;
    child.state = "running";
    this.#children.set(result.pid.serial, child);
    return result.pid;
  }

  async #terminate(pid: Pid, self: Self): Promise<boolean> {
    const child = this.#children.get(pid.serial);
    if (child === undefined) return false;
    this.#children.delete(pid.serial);
    await stopChild(child, this.#environment.kernel, self.pid);
    return true;
  }

  async #childEnded(child: Child, reason: ExitReason, self: Self): Promise<void> {
    const { restart = "temporary" } = child.spec;
    const action = afterExit(restart, reason);
    if (isReported(restart, reason)) this.#report(self, child, reason, action);
    this.#children.delete(pidOf(child).serial);
    if (action !== "restart") return;
    const now = this.#environment.kernel.clock.now();
    const { history, exceeded } = recordRestart(this.#history, now, this.#limits);
    this.#history = history;
    if (exceeded) return this.#giveUp(self);
    child.restarts += 1;
    await this.#start(child, self);
  }

  async #giveUp(self: Self): Promise<void> {
    const { maxRestarts, maxSeconds } = this.#limits;
    const fields = { event: "supervisor_shutdown", ...whoIs(self), maxRestarts, maxSeconds };
    this.#environment.kernel.logger.error(
      { ...fields, reason: "reached_max_restart_intensity" },
      `${whoIs(self).supervisor} gives up: more than ${maxRestarts} restarts within ${maxSeconds} s`,
    );
    await this.#stop(shutdown, self);
  }

  /** All at once, as their order means nothing (C3.4). */
  async #stop(reason: ExitReason, self: Self): Promise<void> {
    const children = [...this.#children.values()];
    this.#children.clear();
    await Promise.all(
      children.map((child) => stopChild(child, this.#environment.kernel, self.pid)),
    );
    self.exit(reason);
  }

  #report(self: Self, child: Child, reason: ExitReason, action: string): void {
    const { restart, id } = child.spec;
    const fields = { child: id, pid: pidOf(child).toString(), restart, type: "worker" };
    this.#environment.kernel.logger.error(
      { event: "child_terminated", ...whoIs(self), ...fields, reason, action },
      `${whoIs(self).supervisor}: ${id} child_terminated: ${describeReason(reason)}; ${action}`,
    );
  }
}

/** Children are in the table only while they have a process. */
function pidOf(child: Child): Pid {
  return child.pid!;
}

function whoIs(self: Self): { readonly supervisor: string } {
  const info = self.kernel.info(self.pid);
  return { supervisor: info?.name ?? info?.label ?? self.pid.toString() };
}
