/**
 * The supervisor process: starts its children in order, restarts them by its strategy, stops them in reverse.
 *
 * What to do is decided in `restart-policy.ts` and `restart-intensity.ts`; this file does it.
 * Invariants:
 *   S1. Children start one after another, each when the one before is ready (C3.1), and stop in reverse (C3.4).
 *   S2. One ended child is one restart in the history, however many siblings restart with it (C6.3).
 *   S3. A supervisor that ends has no living child.
 *
 * @module
 */
import {
  type Behaviour,
  describeReason,
  errorData,
  ExitError,
  type ExitReason,
  type Incoming,
  samePid,
  type Self,
  shutdown,
} from "@coppice/kernel";
import { type AutoShutdown, endsSupervisor } from "./auto-shutdown-policy.ts";
import {
  type ChildEnvironment,
  checkChildSpecs,
  type ChildSpec,
  startChildProcess,
} from "./child-spec.ts";
import { type Child, stopChild } from "./child.ts";
import { recordRestart, type RestartHistory, type RestartIntensity } from "./restart-intensity.ts";
import { afterExit, isReported, restartGroup, type Strategy } from "./restart-policy.ts";
import { failedToStart } from "./start-failure.ts";
import { answer } from "./supervisor-calls.ts";

/** How a supervisor works. */
export interface SupervisorOptions extends Partial<RestartIntensity> {
  readonly strategy: Strategy;
  readonly children: readonly ChildSpec[];
  /** Whether the supervisor ends with its significant children. Default: `never`. */
  readonly autoShutdown?: AutoShutdown;
}

/** The supervisor asks itself to try a failed restart again (C5.6), so that other requests get their turn between. */
class Retry {
  readonly child: Child;
  constructor(child: Child) {
    this.child = child;
  }
}

/** The behaviour of a supervisor. Spawn it with `trapExit`: `startSupervisor` does. */
export class SupervisorProcess implements Behaviour {
  readonly children: Child[];
  readonly environment: ChildEnvironment;
  readonly #strategy: Strategy;
  readonly #intensity: RestartIntensity;
  readonly #autoShutdown: AutoShutdown;
  #history: RestartHistory = [];

  constructor(options: SupervisorOptions, intensity: RestartIntensity, env: ChildEnvironment) {
    this.#autoShutdown = options.autoShutdown ?? "never";
    checkChildSpecs(options.children, this.maySignify);
    this.children = options.children.map((spec) => ({ spec, state: "stopped", restarts: 0 }));
    this.environment = env;
    this.#strategy = options.strategy;
    this.#intensity = intensity;
  }

  /** Whether its children may be significant. */
  get maySignify(): boolean {
    return this.#autoShutdown !== "never";
  }

  async start(self: Self): Promise<void> {
    const inOrder = this.children.slice(); // A temporary child that chooses not to run is dropped on the way.
    for (const child of inOrder) {
      const reason = await this.startChild(child, self);
      if (reason === undefined) continue;
      this.#report(self, "start_error", child, reason, "the supervisor does not start");
      await this.#stopAll(self);
      throw new ExitError(failedToStart(child.spec.id, reason));
    }
  }

  handle(message: Incoming, self: Self): void | Promise<void> {
    switch (message.type) {
      case "exit":
        if (self.isParent(message.from)) return this.#stop(message.reason, self);
        return this.#childEnded(message, self);
      case "call":
        return answer(this, message, self);
      case "info":
        if (message.message instanceof Retry && message.message.child.state === "restarting")
          return this.#restart(message.message.child, self);
    }
  }

  describe(): Readonly<Record<string, unknown>> {
    return { strategy: this.#strategy, ...this.#intensity };
  }

  /** Starts a child that does not run. Returns why it did not start; undefined if it did, or chose not to run. */
  async startChild(child: Child, self: Self): Promise<ExitReason | undefined> {
    const options = { link: self.pid, restarts: child.restarts };
    const result = await startChildProcess(child.spec, options, this.environment).catch(
      (thrown: unknown) => ({ type: "failed", reason: reasonOf(thrown) }) as const,
    );
    if (result.type === "started") {
      child.state = "running";
      child.pid = result.pid;
      this.#progress(self, child);
      return undefined;
    }
    child.state = "stopped";
    child.pid = undefined;
    if (result.type === "failed") return result.reason;
    if (child.spec.restart === "temporary") this.drop(child);
    return undefined;
  }

  drop(child: Child): void {
    const index = this.children.indexOf(child);
    if (index >= 0) this.children.splice(index, 1);
  }

  async #childEnded(exit: Incoming & { readonly type: "exit" }, self: Self): Promise<void> {
    const child = this.children.find(({ pid }) => pid !== undefined && samePid(pid, exit.from));
    if (child === undefined) return; // A child that was stopped meanwhile, or a stranger (C8.1).
    const { restart = "permanent" } = child.spec;
    const { reason } = exit;
    const action = afterExit(restart, reason);
    child.state = "stopped";
    if (isReported(restart, reason))
      this.#report(self, "child_terminated", child, reason, this.#planned(action));
    child.pid = undefined;
    if (action === "drop") this.drop(child);
    if (action === "restart") await this.#restart(child, self);
    else if (this.#endsWith(child)) await this.#stop(shutdown, self);
  }

  #endsWith(child: Child): boolean {
    const othersActive = this.children.some(
      ({ spec, state }) => spec.significant === true && state !== "stopped",
    );
    return endsSupervisor(this.#autoShutdown, child.spec.significant === true, othersActive);
  }

  #planned(action: "restart" | "keep" | "drop"): string {
    if (action !== "restart") return action === "keep" ? "not restarted" : "forgotten";
    const { maxRestarts, maxSeconds } = this.#intensity;
    const { history, exceeded } = this.#recordNow();
    if (exceeded) return `not restarted: more than ${maxRestarts} restarts within ${maxSeconds} s`;
    return `restarting: ${history.length} of at most ${maxRestarts} within ${maxSeconds} s`;
  }

  #recordNow(): ReturnType<typeof recordRestart> {
    return recordRestart(this.#history, this.environment.kernel.clock.now(), this.#intensity);
  }

  async #restart(child: Child, self: Self): Promise<void> {
    const { history, exceeded } = this.#recordNow();
    this.#history = history;
    if (exceeded) return this.#giveUp(child, self);
    const index = this.children.indexOf(child);
    const group = restartGroup(this.#strategy, this.children.length, index).map(
      (position) => this.children[position]!,
    );
    for (const sibling of group.toReversed()) {
      await this.#stopOne(sibling, self);
      if (sibling.spec.restart === "temporary") this.drop(sibling);
    }
    for (const sibling of group) {
      if (sibling.spec.restart === "temporary" && sibling !== child) continue;
      sibling.restarts += 1;
      const reason = await this.startChild(sibling, self);
      if (reason !== undefined) return this.#startFailed(sibling, group, reason, self);
    }
  }

  async #startFailed(
    child: Child,
    group: readonly Child[],
    reason: ExitReason,
    self: Self,
  ): Promise<void> {
    this.#report(self, "start_error", child, reason, this.#planned("restart"));
    if (this.#strategy === "one_for_all")
      for (const sibling of group.toReversed()) await this.#stopOne(sibling, self);
    child.state = "restarting";
    self.remind(new Retry(child));
  }

  async #giveUp(child: Child, self: Self): Promise<void> {
    const { maxRestarts, maxSeconds } = this.#intensity;
    this.environment.kernel.logger.error(
      {
        event: "supervisor_shutdown",
        supervisor: label(self),
        pid: self.pid.toString(),
        child: child.spec.name ?? child.spec.id,
        reason: "reached_max_restart_intensity",
        maxRestarts,
        maxSeconds,
      },
      `${label(self)} gives up: ${child.spec.id} needed more than ${maxRestarts} restarts within ${maxSeconds} s`,
    );
    await this.#stop(shutdown, self);
  }

  async #stop(reason: ExitReason, self: Self): Promise<void> {
    await this.#stopAll(self);
    self.exit(reason);
  }

  async #stopAll(self: Self): Promise<void> {
    for (const child of this.children.toReversed()) await this.#stopOne(child, self);
  }

  async #stopOne(child: Child, self: Self): Promise<void> {
    const unexpected = await stopChild(child, this.environment.kernel, self.pid);
    if (unexpected !== undefined)
      this.#report(self, "shutdown_error", child, unexpected, "it was stopped");
  }

  #progress(self: Self, child: Child): void {
    const fields = { ...offender(self, child), restarts: child.restarts };
    this.environment.kernel.logger.info(
      { event: "progress", ...fields },
      `${label(self)} started ${child.spec.id}`,
    );
  }

  #report(self: Self, event: string, child: Child, reason: ExitReason, action: string): void {
    this.environment.kernel.logger.error(
      { event, ...offender(self, child), reason, action },
      `${label(self)}: ${child.spec.id} ${event}: ${describeReason(reason)}; ${action}`,
    );
  }
}

function label(self: Self): string {
  const info = self.kernel.info(self.pid);
  return info?.name ?? info?.label ?? self.pid.toString();
}

function offender(self: Self, { spec, pid }: Child): Record<string, unknown> {
  return {
    supervisor: label(self),
    child: spec.name ?? spec.id,
    pid: pid?.toString(),
    restart: spec.restart ?? "permanent",
    type: spec.type ?? "worker",
  };
}

function reasonOf(thrown: unknown): ExitReason {
  return thrown instanceof ExitError ? thrown.reason : { type: "error", error: errorData(thrown) };
}
