/**
 * The process of a dynamic supervisor: it starts, restarts and stops children, each on its own.
 *
 * Invariants:
 *   D1. A child is known by its pid; one that is being restarted by the pid it had (C11.4).
 *   D2. All children stop at the same time, each within its own time (C3.4).
 *
 * @module
 */
import {
  type Behaviour,
  describeMessage,
  type ExitReason,
  type Incoming,
  type IncomingCall,
  normal,
  Pid,
  type Self,
  shutdown,
} from "@coppice/kernel";
import { type Child, startChild, stopChild } from "./child.ts";
import { checkChildSpec, type ChildEnvironment, ChildSpecError } from "./child-spec.ts";
import type { DynamicChildSpec, DynamicStart } from "./dynamic-supervisor.ts";
import { recordRestart, type RestartHistory, type RestartIntensity } from "./restart-intensity.ts";
import { afterExit, isReported } from "./restart-policy.ts";
import { countChildren, permitted, row, unknownFunction } from "./supervisor-calls.ts";
import { SupervisorReports } from "./supervisor-reports.ts";

const requests: ReadonlySet<string> = new Set([
  "startChild",
  "terminateChild",
  "whichChildren",
  "countChildren",
  "stop",
]);

/** Tells the supervisor to try a failed restart again (C5.6). */
class Retry {
  readonly key: string;
  constructor(key: string) {
    this.key = key;
  }
}

export class DynamicSupervisorProcess implements Behaviour {
  readonly #intensity: RestartIntensity;
  readonly #maxChildren: number;
  readonly #environment: ChildEnvironment;
  /** By printed pid, in the order they were started. */
  readonly #children = new Map<string, Child>();
  #history: RestartHistory = [];
  #reports!: SupervisorReports;

  constructor(intensity: RestartIntensity, maxChildren: number, environment: ChildEnvironment) {
    this.#intensity = intensity;
    this.#maxChildren = maxChildren;
    this.#environment = environment;
  }

  start(self: Self): void {
    this.#reports = new SupervisorReports(self);
  }

  handle(message: Incoming, self: Self): void | Promise<void> {
    switch (message.type) {
      case "exit":
        if (self.isParent(message.from)) return this.#stop(message.reason, self);
        return this.#childEnded(message.from, message.reason, self);
      case "call":
        return this.#answer(message, self);
      case "info":
        if (!(message.message instanceof Retry)) return this.#reports.unexpected("info");
        return this.#retry(message.message.key, self);
      default:
        return this.#reports.unexpected(describeMessage(message));
    }
  }

  describe(): Readonly<Record<string, unknown>> {
    return { strategy: "one_for_one", ...this.#intensity, children: this.#children.size };
  }

  async #answer(message: IncomingCall, self: Self): Promise<void> {
    if (!requests.has(message.method))
      return message.reply({
        ok: false,
        failure: unknownFunction(message.method, [...requests]),
      });
    const request = permitted(message);
    if (request === undefined) return undefined;
    const { about } = request;
    switch (message.method) {
      case "startChild":
        return this.#startChild(message, about as DynamicChildSpec, self);
      case "terminateChild":
        return message.reply({ ok: true, value: await this.#terminateChild(about, self) });
      case "whichChildren":
        return message.reply({ ok: true, value: [...this.#children.values()].map(row) });
      case "countChildren":
        return message.reply({ ok: true, value: countChildren([...this.#children.values()]) });
      default:
        await this.#stopAll(self);
        message.reply({ ok: true, value: undefined });
        return self.exit(normal);
    }
  }

  async #startChild(message: IncomingCall, given: DynamicChildSpec, self: Self): Promise<void> {
    const spec = { id: given?.name ?? "child", ...given };
    try {
      checkChildSpec(spec, false);
    } catch (thrown) {
      if (!(thrown instanceof ChildSpecError)) throw thrown;
      const failure = { code: "bad_argument", executed: "no", message: thrown.message } as const;
      return message.reply({ ok: false, failure });
    }
    message.reply({
      ok: true,
      value: await this.#start({ spec, state: "stopped", restarts: 0 }, self),
    });
  }

  async #start(child: Child, self: Self): Promise<DynamicStart> {
    if (this.#children.size >= this.#maxChildren) return { type: "max_children" };
    const result = await startChild(child, this.#environment, self);
    if (result.type !== "started") return result;
    this.#children.set(result.pid.toString(), child);
    this.#reports.progress(child);
    return result;
  }

  async #terminateChild(about: unknown, self: Self): Promise<"ok" | "not_found"> {
    const key = about instanceof Pid ? about.toString() : "";
    const child = this.#children.get(key);
    if (child === undefined) return "not_found";
    this.#children.delete(key);
    await this.#stopOne(child, self);
    return "ok";
  }

  async #childEnded(pid: Pid, reason: ExitReason, self: Self): Promise<void> {
    const key = pid.toString();
    const child = this.#children.get(key);
    if (child === undefined) return; // A start that failed, or a stranger (C8.1).
    const { restart = "permanent" } = child.spec;
    const action = afterExit(restart, reason);
    if (isReported(restart, reason))
      this.#reports.error(
        "child_terminated",
        child,
        reason,
        action === "restart" ? "restarting" : "forgotten",
      );
    child.pid = undefined;
    if (action === "restart") await this.#restart(key, child, self);
    else this.#children.delete(key); // Without an id it could never be started again.
  }

  async #retry(key: string, self: Self): Promise<void> {
    const child = this.#children.get(key);
    if (child !== undefined) await this.#restart(key, child, self);
  }

  async #restart(key: string, child: Child, self: Self): Promise<void> {
    const nowMs = this.#environment.kernel.clock.now();
    const { history, exceeded } = recordRestart(this.#history, nowMs, this.#intensity);
    this.#history = history;
    if (exceeded) {
      this.#reports.gaveUp(child, this.#intensity);
      return this.#stop(shutdown, self);
    }
    child.restarts += 1;
    const result = await startChild(child, this.#environment, self);
    switch (result.type) {
      case "started":
        this.#children.delete(key);
        this.#children.set(result.pid.toString(), child);
        return this.#reports.progress(child);
      case "ignored":
        this.#children.delete(key); // C11.3
        return undefined;
      case "failed":
        this.#reports.error("start_error", child, result.reason, "tried again");
        child.state = "restarting";
        return self.remind(new Retry(key));
    }
  }

  async #stop(reason: ExitReason, self: Self): Promise<void> {
    await this.#stopAll(self);
    self.exit(reason);
  }

  /** D2. */
  async #stopAll(self: Self): Promise<void> {
    const children = [...this.#children.values()];
    this.#children.clear();
    await Promise.all(children.map((child) => this.#stopOne(child, self)));
  }

  async #stopOne(child: Child, self: Self): Promise<void> {
    const unexpected = await stopChild(child, this.#environment.kernel, self.pid);
    if (unexpected !== undefined)
      this.#reports.error("shutdown_error", child, unexpected, "it was stopped");
  }
}
