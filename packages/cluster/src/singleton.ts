/**
 * A process that is unique in the cluster: one of these waits on every node that has it among its children, and the
 * one that owns the name runs the process itself, linked to it.
 *
 * When the process ends, its singleton ends with the same reason and keeps the name for a moment, so that the restart
 * by its supervisor finds it. When the node's session is lost, the process is stopped and the singleton waits again.
 *
 * @module
 */
import {
  type Behaviour,
  describeReason,
  type ExitReason,
  type Incoming,
  type Kernel,
  kill,
  normal,
  type Pid,
  samePid,
  type Self,
  type StartResult,
} from "@coppice/kernel";
import { StoreUnavailableError } from "@coppice/net";
import type { NamedStart } from "@coppice/otp";
import type { Names } from "./names.ts";
import type { Sessions } from "./sessions.ts";

/** What a singleton needs of its node. */
export interface SingletonEnvironment {
  readonly kernel: Kernel;
  readonly names: Names;
  readonly sessions: Sessions;
  /** Calls back when this node's session is lost. Returns what stops it. */
  readonly onSessionLost: (observer: () => void) => () => void;
}

/** How long a name outlives the process that ended, for its restart to find it, in milliseconds. */
export const lingerMs = 1_000;
/** How long to wait before another try when the store does not answer, in milliseconds. */
const storeRetryMs = 200;
/** How long to wait before another try while this node itself may not act, in milliseconds. */
const leaseRetryMs = 100;

const tryNow = Symbol("try");
const nameLost = Symbol("name lost");

/** Starts one, and waits until it runs the process or waits for the name. */
export function startSingleton(
  name: string,
  environment: SingletonEnvironment,
  how: NamedStart,
): Promise<StartResult> {
  const spawnOptions = { ...how.options, kind: "singleton", trapExit: true };
  return environment.kernel.start(new Singleton(name, environment, how), spawnOptions);
}

class Singleton implements Behaviour {
  readonly #name: string;
  readonly #environment: SingletonEnvironment;
  readonly #how: NamedStart;
  readonly #stops: (() => void)[] = [];
  #child: Pid | undefined;

  constructor(name: string, environment: SingletonEnvironment, how: NamedStart) {
    this.#name = name;
    this.#environment = environment;
    this.#how = how;
  }

  async start(self: Self): Promise<void> {
    const { names, onSessionLost } = this.#environment;
    this.#stops.push(
      names.observe(() => {
        if (this.#child === undefined) self.remind(tryNow);
        else if (!names.isOurs(this.#name)) self.remind(nameLost);
      }),
      onSessionLost(() => self.remind(nameLost)),
    );
    await this.#try(self);
    if (this.#child === undefined) this.#prepare();
  }

  async handle(message: Incoming, self: Self): Promise<void> {
    if (message.type === "exit") {
      if (self.isParent(message.from)) {
        await this.#stopChild();
        self.exit(message.reason);
      } else if (this.#child !== undefined && samePid(message.from, this.#child)) {
        self.exit(message.reason);
      }
    }
    if (message.type !== "info") return;
    if (message.message === tryNow && this.#child === undefined) await this.#try(self);
    if (message.message === nameLost) await this.#stopChild();
  }

  ended(reason: ExitReason): void {
    for (const stop of this.#stops) stop();
    const { kernel, names } = this.#environment;
    names.letGo(this.#name, this);
    const release = (): void => {
      if (names.isHeld(this.#name)) return; // Its restart took it up again.
      names.release(this.#name).catch((thrown: unknown) => {
        const fields = { event: "name_release_failed", name: this.#name, error: String(thrown) };
        kernel.logger.warn(
          fields,
          `the name ${this.#name} could not be given up: ${String(thrown)}`,
        );
      });
    };
    if (reason.type === "shutdown") release();
    else kernel.clock.after(lingerMs, release);
  }

  describe(): Readonly<Record<string, unknown>> {
    const owner = this.#environment.names.get(this.#name)?.owner.node;
    return { state: this.#child === undefined ? "standby" : "active", owner };
  }

  /** What goes wrong here goes wrong again, and is reported, when the process is started. */
  #prepare(): void {
    this.#how.prepare().catch((thrown: unknown) => {
      const fields = { event: "prepare_failed", name: this.#name, error: String(thrown) };
      this.#environment.kernel.logger.warn(
        fields,
        `${this.#name} cannot run here: ${String(thrown)}`,
      );
    });
  }

  async #try(self: Self): Promise<void> {
    const { kernel, names, sessions } = this.#environment;
    if (!sessions.mayAct()) {
      // To claim without a lease of one's own would take the name from the next node that does the same, for ever.
      kernel.clock.after(leaseRetryMs, () => self.remind(tryNow));
      return;
    }
    try {
      const owner = names.get(this.#name)?.owner;
      if (!names.hold(this.#name, this)) return;
      if (!(await names.claim(this.#name))) return names.letGo(this.#name, this);
      if (owner !== undefined && owner.node !== self.pid.node)
        kernel.logger.info(
          { event: "takeover", name: this.#name, from: owner.node, epoch: this.#epoch() },
          `takes ${this.#name} over from node ${owner.node}`,
        );
      await this.#run(self);
    } catch (thrown) {
      names.letGo(this.#name, this);
      if (!(thrown instanceof StoreUnavailableError)) throw thrown;
      kernel.logger.warn(
        { event: "claim_failed", name: this.#name, error: thrown.message },
        `${this.#name} could not be claimed yet: ${thrown.message}`,
      );
      kernel.clock.after(storeRetryMs, () => self.remind(tryNow));
    }
  }

  async #run(self: Self): Promise<void> {
    const { names, kernel } = this.#environment;
    const result = await this.#how.start({
      link: self.pid,
      label: this.#name,
      restarts: this.#how.options.restarts ?? 0,
      fence: () => this.#environment.sessions.mayAct() && names.isOurs(this.#name),
    });
    if (result.type !== "started") {
      await names.release(this.#name);
      return self.exit(result.type === "failed" ? result.reason : normal);
    }
    this.#child = result.pid;
    if (await names.publish(this.#name, result.pid)) {
      kernel.logger.info(
        { event: "name_owned", name: this.#name, pid: result.pid.toString(), epoch: this.#epoch() },
        `${this.#name} runs here as ${result.pid}`,
      );
      return;
    }
    await this.#stopChild(); // Lost while it was starting.
  }

  /** Stops the process without its end being a crash of this one. */
  async #stopChild(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    const { kernel, names } = this.#environment;
    names.letGo(this.#name, this);
    if (child === undefined) return;
    const { promise, resolve } = Promise.withResolvers<ExitReason>();
    kernel.monitor(child, resolve);
    kernel.exit(child, kill);
    const reason = await promise;
    kernel.logger.info(
      { event: "singleton_stopped", name: this.#name, pid: child.toString() },
      `${this.#name} was stopped here: ${describeReason(reason)}`,
    );
  }

  #epoch(): number | undefined {
    return this.#environment.names.get(this.#name)?.epoch;
  }
}
