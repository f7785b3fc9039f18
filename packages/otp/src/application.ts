/**
 * Applications of one node: started in the order of their dependencies, stopped in the reverse, and ended together when
 * one that they cannot do without ends.
 *
 * Invariants:
 *   P1. An application starts when all it depends on run, and one at a time.
 *   P2. A start that fails leaves nothing running that it started.
 *   P3. What {@link Applications} stops itself never counts as an end.
 *
 * @example A web application and the store it needs
 * ```ts
 * import assert from "node:assert/strict";
 * import { Kernel, silentLogger, systemClock, systemRandom } from "@coppice/kernel";
 * import { Applications, defineApplication, GenServer } from "@coppice/otp";
 *
 * class Store extends GenServer {}
 * const store = defineApplication({
 *   name: "store",
 *   environment: { path: "/var/lib/store" },
 *   start: ({ environment }) => {
 *     assert.equal(environment.path, "/tmp/store");
 *     return { strategy: "one_for_one", children: [{ id: "store", name: "store", start: [Store] }] };
 *   },
 * });
 * const web = defineApplication({
 *   name: "web",
 *   dependencies: ["store"],
 *   start: () => ({ strategy: "one_for_one", children: [] }),
 * });
 *
 * const kernel = new Kernel({
 *   node: "a", incarnation: "1", clock: systemClock, random: systemRandom, logger: silentLogger,
 * });
 * await using applications = new Applications(kernel, [web, store], {
 *   environment: { store: { path: "/tmp/store" } },
 * });
 * const result = await applications.ensureAllStarted(["web"], { restart: "permanent" });
 * assert.deepEqual(result, { ok: true, started: ["store", "web"] });
 * ```
 *
 * @module
 */
import {
  assertPlainData,
  crashed,
  describeReason,
  errorData,
  ExitError,
  type ExitReason,
  type Kernel,
  kill,
  type Pid,
  shutdown,
} from "@coppice/kernel";
import { UnknownApplicationError } from "./application-errors.ts";
import { startOrder } from "./application-order-policy.ts";
import { type ApplicationRestart, haltsAll } from "./application-restart-policy.ts";
import {
  type ApplicationContext,
  type ApplicationSpec,
  checkApplications,
} from "./application-spec.ts";
import { localNames, type Names } from "./names.ts";
import { startSupervisor } from "./start-supervisor.ts";

/** How long `prepStop` and `stop` may each take before they are passed over, in milliseconds. */
export const applicationHookMsMax = 30_000;

/** An application that ended all the others. */
export interface ApplicationHalt {
  readonly application: string;
  readonly reason: ExitReason;
}

/** How the applications of a node are managed. */
export interface ApplicationsOptions {
  /** Overrides single values of the environment of single applications, by name. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Told once, after all applications were stopped because one ended that may not: the node has nothing to do then. */
  readonly onHalt?: (halt: ApplicationHalt) => void;
  /** How named children get their names. Default: names of this node. */
  readonly names?: Names;
}

/** How an application is started. */
export interface ApplicationStartOptions {
  /** What its end means for the others. Default: `temporary`, as OTP. */
  readonly restart?: ApplicationRestart;
}

/** The outcome of a start. */
export type ApplicationStartResult =
  /** What this start has started, in order: not what ran before. */
  | { readonly ok: true; readonly started: readonly string[] }
  | { readonly ok: false; readonly error: "already_started" }
  /** A dependency does not run. */
  | { readonly ok: false; readonly error: "not_started"; readonly dependency: string }
  | {
      readonly ok: false;
      readonly error: "failed";
      readonly application: string;
      readonly reason: ExitReason;
    }
  /** An application that all need has ended, and all are stopped. */
  | ({ readonly ok: false; readonly error: "halted" } & ApplicationHalt);

/** An application that runs. */
export interface RunningApplication {
  readonly name: string;
  readonly restart: ApplicationRestart;
  /** Its topmost supervisor. */
  readonly pid: Pid;
}

interface Running extends RunningApplication {
  readonly spec: ApplicationSpec;
  readonly context: ApplicationContext;
  readonly ended: Promise<ExitReason>;
  reason?: ExitReason;
  state: "starting" | "running" | "stopping";
}

/**
 * The applications of one node. Starts and stops wait for each other, so an application must not start or stop another
 * from its own callbacks and wait for it, and a `start` that never settles holds up all that comes after it.
 */
export class Applications {
  readonly #kernel: Kernel;
  readonly #specs: ReadonlyMap<string, ApplicationSpec>;
  readonly #dependencies: ReadonlyMap<string, readonly string[]>;
  readonly #options: ApplicationsOptions;
  /** In the order they were started. */
  readonly #running = new Map<string, Running>();
  #halt: ApplicationHalt | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * @throws {ApplicationSpecError} if a specification cannot be used.
   * @throws {UnknownApplicationError} if one depends on an application that is not given, or an override names one.
   * @throws {ApplicationCycleError} if they depend on each other in a circle.
   * @throws {NotPlainDataError} if an environment is not plain data.
   */
  constructor(
    kernel: Kernel,
    specs: readonly ApplicationSpec[],
    options: ApplicationsOptions = {},
  ) {
    this.#kernel = kernel;
    this.#specs = checkApplications(specs);
    this.#dependencies = new Map(specs.map((spec) => [spec.name, spec.dependencies ?? []]));
    this.#options = options;
    startOrder(this.#dependencies, this.#specs.keys());
    assertPlainData(options.environment, "environment");
    for (const name of Object.keys(options.environment ?? {})) this.#spec(name);
  }

  /** Starts one application whose dependencies run. @throws {UnknownApplicationError} */
  async start(
    name: string,
    options: ApplicationStartOptions = {},
  ): Promise<ApplicationStartResult> {
    const { dependencies = [] } = this.#spec(name);
    return this.#inTurn(async () => {
      if (this.#running.has(name)) return { ok: false, error: "already_started" };
      const dependency = dependencies.find((each) => !this.#running.has(each));
      if (dependency !== undefined) return { ok: false, error: "not_started", dependency };
      return this.#startAll([name], options);
    });
  }

  /**
   * Starts applications and, before them, all they depend on that does not run. If one fails, those that this call has
   * started are stopped again, last first.
   *
   * @throws {UnknownApplicationError}
   */
  async ensureAllStarted(
    names: readonly string[],
    options: ApplicationStartOptions = {},
  ): Promise<ApplicationStartResult> {
    const order = startOrder(this.#dependencies, names);
    return this.#inTurn(async () =>
      this.#startAll(
        order.filter((name) => !this.#running.has(name)),
        options,
      ),
    );
  }

  /** Stops one application, of whichever restart type, and none of those that depend on it: as OTP. False: it does not run. */
  async stop(name: string): Promise<boolean> {
    this.#spec(name);
    return this.#inTurn(async () => {
      const running = this.#running.get(name);
      if (running !== undefined) await this.#stopOne(running);
      return running !== undefined;
    });
  }

  /** Stops all that run, the last started first. */
  async stopAll(): Promise<void> {
    return this.#inTurn(() => this.#stopThese([...this.#running.values()]));
  }

  /** What runs, in the order it was started. */
  running(): RunningApplication[] {
    return [...this.#running.values()].map(({ name, restart, pid }) => ({ name, restart, pid }));
  }

  /** An application's environment, as its next start will find it. @throws {UnknownApplicationError} */
  environment(name: string): Readonly<Record<string, unknown>> {
    const { environment } = this.#spec(name);
    return { ...(environment as object), ...this.#options.environment?.[name] };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stopAll();
  }

  #spec(name: string): ApplicationSpec {
    const spec = this.#specs.get(name);
    if (spec === undefined) throw new UnknownApplicationError(name);
    return spec;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {}); // Who asked for it is told.
    return result;
  }

  async #startAll(
    order: readonly string[],
    { restart = "temporary" }: ApplicationStartOptions,
  ): Promise<ApplicationStartResult> {
    const started: Running[] = [];
    for (const name of order) {
      const result =
        this.#halt === undefined ? await this.#startOne(this.#spec(name), restart) : undefined;
      if (result !== undefined && "pid" in result) {
        started.push(result);
        continue;
      }
      await this.#stopThese(started); // P2
      if (result !== undefined)
        return { ok: false, error: "failed", application: name, reason: result };
      break;
    }
    if (this.#halt !== undefined) return { ok: false, error: "halted", ...this.#halt };
    return { ok: true, started: started.map(({ name }) => name) };
  }

  /** Returns why it did not start. */
  async #startOne(
    spec: ApplicationSpec,
    restart: ApplicationRestart,
  ): Promise<Running | ExitReason> {
    const kernel = this.#kernel;
    const { name } = spec;
    const context = { kernel, name, environment: this.environment(name) };
    const names = this.#options.names ?? localNames;
    let running: Running | undefined;
    try {
      const tree = await spec.start(context);
      try {
        const how = { kind: "application", label: name };
        const result = await startSupervisor(kernel, tree, how, { kernel, names });
        if (result.type === "failed") throw new ExitError(result.reason);
        if (result.type === "ignored") throw new Error("a supervisor always starts or fails");
        running = this.#watch({ name, restart, pid: result.pid, spec, context });
        for (const phase of spec.startPhases ?? []) await phase(context);
        if (running.reason !== undefined) throw new ExitError(running.reason);
      } catch (thrown) {
        const hasTree = running !== undefined && running.reason === undefined;
        await (hasTree ? this.#stopOne(running!) : this.#hook(spec, context, "stop"));
        throw thrown;
      }
    } catch (thrown) {
      const reason = thrown instanceof ExitError ? thrown.reason : crashed(thrown);
      this.#report("application_start_error", { application: name, restart }, reason);
      return reason;
    }
    running.state = "running";
    this.#running.set(name, running);
    kernel.logger.info({ event: "application_started", application: name }, `${name} started`);
    return running;
  }

  #watch(fields: Omit<Running, "ended" | "reason" | "state">): Running {
    const { promise, resolve } = Promise.withResolvers<ExitReason>();
    const running: Running = { ...fields, ended: promise, state: "starting" };
    this.#kernel.monitor(running.pid, (reason) => {
      running.reason = reason;
      if (running.state === "running") this.#endedByItself(running, reason); // P3
      resolve(reason);
    });
    return running;
  }

  #endedByItself(running: Running, reason: ExitReason): void {
    const { name, restart, spec, context } = running;
    this.#running.delete(name);
    this.#report("application_ended", { application: name, restart }, reason);
    const halts = haltsAll(restart, reason) && this.#halt === undefined;
    const halt = { application: name, reason };
    if (halts) this.#halt = halt;
    void this.#inTurn(async () => {
      await this.#hook(spec, context, "stop");
      if (!halts) return;
      await this.#stopThese([...this.#running.values()]);
      this.#options.onHalt?.(halt);
    });
  }

  async #stopThese(running: readonly Running[]): Promise<void> {
    for (const each of running.toReversed()) await this.#stopOne(each);
  }

  async #stopOne(running: Running): Promise<void> {
    const { spec, context, pid, name } = running;
    if (running.reason !== undefined) return; // It has ended by itself, and its `stop` has its turn.
    running.state = "stopping";
    await this.#hook(spec, context, "prepStop");
    const { shutdownMs = Infinity } = spec;
    this.#kernel.exit(pid, shutdownMs === 0 ? kill : shutdown);
    const cancel =
      shutdownMs === 0 || shutdownMs === Infinity
        ? undefined
        : this.#kernel.clock.after(shutdownMs, () => this.#kernel.exit(pid, kill));
    await running.ended;
    cancel?.();
    this.#running.delete(name);
    await this.#hook(spec, context, "stop");
  }

  /** Runs a callback that must not keep the others from being stopped: it may fail or take too long. */
  async #hook(
    spec: ApplicationSpec,
    context: ApplicationContext,
    hook: "prepStop" | "stop",
  ): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<void>();
    const cancel = this.#kernel.clock.after(applicationHookMsMax, () =>
      reject(new Error(`it took longer than ${applicationHookMsMax} ms`)),
    );
    try {
      await Promise.race([Promise.try(async () => spec[hook]?.(context)), late]);
    } catch (thrown) {
      const error = errorData(thrown);
      this.#kernel.logger.error(
        { event: "application_hook_failed", application: spec.name, hook, error },
        `${hook} of ${spec.name} failed: ${error.message}`,
      );
    } finally {
      cancel();
    }
  }

  #report(event: string, fields: Readonly<Record<string, unknown>>, reason: ExitReason): void {
    this.#kernel.logger.error(
      { event, ...fields, reason },
      `${String(fields["application"])} ${event}: ${describeReason(reason)}`,
    );
  }
}
