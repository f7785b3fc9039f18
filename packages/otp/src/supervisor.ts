/**
 * The supervisor process: starts its children in order, restarts them by its strategy, stops them in reverse.
 *
 * What to do is decided in `restart-policy.ts`, `restart-intensity.ts` and `auto-shutdown-policy.ts`; this file does it.
 * Invariants:
 *   S1. Children start one after another, each when the one before is ready (C3.1), and stop in reverse (C3.4).
 *   S2. One ended child is one restart in the history, however many siblings restart with it (C6.3).
 *   S3. A supervisor that ends has no living child.
 *
 * @module
 */
import {
  type Behaviour,
  describeMessage,
  ExitError,
  type ExitReason,
  type Incoming,
  type Self,
  shutdown,
} from "@coppice/kernel";
import { type AutoShutdown, endsSupervisor } from "./auto-shutdown-policy.ts";
import { type ChildEnvironment, checkChildSpecs, type ChildSpec } from "./child-spec.ts";
import { type Child, startChild, stopChild } from "./child.ts";
import { Children } from "./children.ts";
import {
  countRestarts,
  recordRestart,
  type RestartHistory,
  type RestartIntensity,
} from "./restart-intensity.ts";
import {
  type AfterExit,
  afterExit,
  isReported,
  restartGroup,
  type Strategy,
} from "./restart-policy.ts";
import { failedToStart } from "./start-failure.ts";
import { answer } from "./supervisor-calls.ts";
import { SupervisorReports } from "./supervisor-reports.ts";

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
  readonly children: Children;
  readonly environment: ChildEnvironment;
  readonly #strategy: Strategy;
  readonly #intensity: RestartIntensity;
  readonly #autoShutdown: AutoShutdown;
  #history: RestartHistory = [];
  #reports!: SupervisorReports;

  /** @throws {ChildSpecError} if a child's specification cannot be used. */
  constructor(options: SupervisorOptions, intensity: RestartIntensity, env: ChildEnvironment) {
    this.#autoShutdown = options.autoShutdown ?? "never";
    checkChildSpecs(options.children, this.maySignify);
    this.children = new Children(options.children);
    this.environment = env;
    this.#strategy = options.strategy;
    this.#intensity = intensity;
  }

  /** Whether its children may be significant. */
  get maySignify(): boolean {
    return this.#autoShutdown !== "never";
  }

  async start(self: Self): Promise<void> {
    this.#reports = new SupervisorReports(self);
    const inOrder = [...this.children]; // A temporary child that chooses not to run is dropped on the way.
    for (const child of inOrder) {
      const reason = await this.startChild(child, self);
      if (reason === undefined) continue;
      this.#reports.error("start_error", child, reason, "the supervisor does not start");
      await this.stopAll(self);
      throw new ExitError(failedToStart(child.spec.id, reason));
    }
  }

  handle(message: Incoming, self: Self): void | Promise<void> {
    switch (message.type) {
      case "exit":
        if (self.isParent(message.from)) return this.stop(message.reason, self);
        return this.#childEnded(message, self);
      case "call":
        return answer(this, message, self);
      case "info":
        if (!(message.message instanceof Retry)) return this.#reports.unexpected("info");
        if (message.message.child.state !== "restarting") return undefined; // It was stopped or started meanwhile.
        return this.#restart(message.message.child, self);
      default:
        return this.#reports.unexpected(describeMessage(message));
    }
  }

  describe(): Readonly<Record<string, unknown>> {
    return { strategy: this.#strategy, ...this.#intensity, autoShutdown: this.#autoShutdown };
  }

  /** Starts a child that does not run. Returns why it did not start; undefined if it did, or chose not to run. */
  async startChild(child: Child, self: Self): Promise<ExitReason | undefined> {
    const result = await startChild(child, this.environment, self);
    if (result.type === "failed") return result.reason;
    if (result.type === "started") {
      this.children.started(child, result.pid);
      this.#reports.progress(child);
    } else if (child.spec.restart === "temporary") this.children.drop(child); // C3.3
    return undefined;
  }

  /** Stops a child, and reports if it ended otherwise than asked. */
  async stopChild(child: Child, self: Self): Promise<void> {
    const unexpected = await stopChild(child, this.environment.kernel, self.pid);
    if (unexpected !== undefined)
      this.#reports.error("shutdown_error", child, unexpected, "it was stopped");
    this.children.ended(child);
  }

  /** Stops all children, then ends with the reason (S3). */
  async stop(reason: ExitReason, self: Self): Promise<void> {
    await this.stopAll(self);
    self.exit(reason);
  }

  async #childEnded(exit: Incoming & { readonly type: "exit" }, self: Self): Promise<void> {
    const child = this.children.runningAs(exit.from);
    if (child === undefined) return; // A start that failed, or a stranger (C8.1).
    const { restart = "permanent" } = child.spec;
    const { reason } = exit;
    const action = afterExit(restart, reason);
    child.state = "stopped";
    if (isReported(restart, reason))
      this.#reports.error("child_terminated", child, reason, this.#planned(action));
    this.children.ended(child);
    if (action === "drop") this.children.drop(child);
    if (action === "restart") await this.#restart(child, self);
    else if (this.#endsWith(child)) await this.stop(shutdown, self);
  }

  #endsWith(child: Child): boolean {
    if (child.spec.significant !== true) return false; // Nor are the others looked at: there may be many.
    const othersActive = [...this.children].some(
      ({ spec, state }) => spec.significant === true && state !== "stopped",
    );
    return endsSupervisor(this.#autoShutdown, true, othersActive);
  }

  #planned(action: AfterExit): string {
    if (action !== "restart") return action === "keep" ? "not restarted" : "forgotten";
    const { maxRestarts, maxSeconds } = this.#intensity;
    const { history, exceeded } = this.#recordNow();
    if (exceeded) return `not restarted: more than ${maxRestarts} restarts within ${maxSeconds} s`;
    return `restarting: ${countRestarts(history)} of at most ${maxRestarts} within ${maxSeconds} s`;
  }

  #recordNow(): ReturnType<typeof recordRestart> {
    return recordRestart(this.#history, this.environment.kernel.clock.now(), this.#intensity);
  }

  async #restart(child: Child, self: Self): Promise<void> {
    const { history, exceeded } = this.#recordNow();
    this.#history = history;
    if (exceeded) {
      this.#reports.gaveUp(child, this.#intensity);
      return this.stop(shutdown, self);
    }
    // One for one, the others do not matter: there may be many.
    const all = this.#strategy === "one_for_one" ? [child] : [...this.children];
    const group = restartGroup(this.#strategy, all.length, all.indexOf(child)).map(
      (position) => all[position]!,
    );
    for (const sibling of group.toReversed()) {
      if (sibling !== child) await this.stopChild(sibling, self);
      if (sibling !== child && sibling.spec.restart === "temporary") this.children.drop(sibling);
    }
    for (const sibling of group) {
      if (sibling !== child && sibling.spec.restart === "temporary") continue;
      sibling.restarts += 1;
      const reason = await this.startChild(sibling, self);
      if (reason !== undefined) return this.#startFailed(sibling, group, reason, self);
    }
    return undefined;
  }

  async #startFailed(
    child: Child,
    group: readonly Child[],
    reason: ExitReason,
    self: Self,
  ): Promise<void> {
    this.#reports.error("start_error", child, reason, this.#planned("restart"));
    if (this.#strategy === "one_for_all")
      for (const sibling of group.toReversed()) await this.stopChild(sibling, self); // C5.5
    child.state = "restarting";
    self.remind(new Retry(child));
  }

  /** Stops all children, the last first. */
  async stopAll(self: Self): Promise<void> {
    for (const child of [...this.children].toReversed()) await this.stopChild(child, self);
  }
}
