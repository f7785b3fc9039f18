/**
 * A process that is unique in the cluster: one of these waits on every node that has it among its children, and the
 * one that owns the name runs the process itself, linked to it.
 *
 * When the process ends, its singleton ends with the same reason and keeps the name for a moment, so that the restart
 * by its supervisor finds it. When the node's session is lost, the process is stopped and the singleton waits again: no
 * end that comes from the name counts as a restart.
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
  type NodeAddress,
  normal,
  type Pid,
  samePid,
  type Self,
  sleep,
  type StartResult,
} from "@coppice/kernel";
import { StoreUnavailableError } from "@coppice/net";
import { type NamedStart, replaceState } from "@coppice/otp";
import type { HandOffs, SavedState, StateTransfer } from "./hand-off.ts";
import type { Names } from "./names.ts";
import type { Sessions } from "./sessions.ts";

/**
 * `strict`: without a lease the process does not act, so that there is never more than one; nobody serves on the side of a
 * split that cannot reach the store. `available`: it goes on without one, so there may be two until the split has healed;
 * then the one that does not own the name is killed.
 */
export type NameMode = "strict" | "available";

/** What a singleton needs of its node. */
export interface SingletonEnvironment {
  readonly kernel: Kernel;
  readonly names: Names;
  readonly sessions: Sessions;
  readonly handOffs: HandOffs;
  /** Whether this node takes nothing new. */
  readonly isDraining: () => boolean;
  /** Calls back when this node's session is lost. Returns what stops it. */
  readonly onSessionLost: (observer: () => void) => () => void;
  /** Says that a process that can be handed over waits or runs here. Returns what ends that. */
  readonly announce: (handle: SingletonHandle) => () => void;
}

/** What others may do with a singleton. */
export interface SingletonHandle {
  readonly name: string;
  readonly isActive: () => boolean;
  /** Hands the process to the first of the nodes that takes it. Returns whether one did. */
  readonly handOff: (candidates: readonly NodeAddress[]) => Promise<boolean>;
}

/** How long a name outlives the process that ended, for its restart to find it, in milliseconds. */
export const lingerMs = 1_000;
/** How long to wait before another try when the store does not answer, in milliseconds. */
const storeRetryMs = 200;
/** How long to wait before another try while this node itself may not act, in milliseconds. */
const leaseRetryMs = 100;
/** How long a start waits for a node that is late, and how often it looks, in milliseconds. */
const lateMsMax = 500;
const lateRetryMs = 20;
/** How long a process may take to take its predecessor's state up, in milliseconds. */
const loadTimeoutMs = 5_000;

const tryNow = Symbol("try");
const nameLost = Symbol("name lost");
const sessionLost = Symbol("session lost");

class HandOffRequest {
  readonly candidates: readonly NodeAddress[];
  readonly done: (isMoved: boolean) => void;
  constructor(candidates: readonly NodeAddress[], done: (isMoved: boolean) => void) {
    this.candidates = candidates;
    this.done = done;
  }
}

/** How a singleton works. */
export interface SingletonOptions {
  readonly name: string;
  readonly mode: NameMode;
  readonly environment: SingletonEnvironment;
  readonly how: NamedStart;
  /** How its state moves. Default: as a gen-server's. */
  readonly transfer?: StateTransfer | undefined;
}

/** Starts one, and waits until it runs the process or waits for the name. */
export function startSingleton(options: SingletonOptions): Promise<StartResult> {
  const spawnOptions = { ...options.how.options, kind: "singleton", trapExit: true };
  return options.environment.kernel.start(new Singleton(options), spawnOptions);
}

class Singleton implements Behaviour {
  readonly #name: string;
  readonly #mode: NameMode;
  readonly #environment: SingletonEnvironment;
  readonly #how: NamedStart;
  readonly #transfer: StateTransfer | undefined;
  readonly #stops: (() => void)[] = [];
  #child: Pid | undefined;
  /** The process is being handed over and handles nothing any more. */
  #closed = false;
  #ended = false;

  constructor({ name, mode, environment, how, transfer }: SingletonOptions) {
    this.#name = name;
    this.#mode = mode;
    this.#environment = environment;
    this.#how = how;
    this.#transfer = transfer;
  }

  async start(self: Self): Promise<void> {
    const { names, onSessionLost, announce } = this.#environment;
    this.#stops.push(
      names.observe(this.#name, () => {
        if (this.#child === undefined) self.remind(tryNow);
        else if (!names.isOurs(this.#name)) self.remind(nameLost);
      }),
      onSessionLost(() => self.remind(sessionLost)),
      announce({
        name: this.#name,
        isActive: () => this.#child !== undefined,
        handOff: (candidates) => this.#requestHandOff(self, candidates),
      }),
    );
    await this.#whileLate();
    await this.#try(self);
    if (this.#child === undefined) this.#prepare();
  }

  async handle(message: Incoming, self: Self): Promise<void> {
    if (message.type === "exit") {
      if (self.isParent(message.from)) {
        await this.#stopChild(this.#environment.sessions.mayAct() ? message.reason : kill, self);
        self.exit(message.reason);
      } else if (this.#child !== undefined && samePid(message.from, this.#child)) {
        self.exit(message.reason);
      }
    }
    if (message.type !== "info") return;
    const about = message.message;
    if (about instanceof HandOffRequest) return this.#handOff(about);
    if (about === tryNow && this.#child === undefined) await this.#try(self);
    if (about === nameLost && this.#mustYield()) await this.#stopChild();
    if (about === sessionLost && this.#mode === "strict") {
      await this.#stopChild();
      this.#tryLater(self, leaseRetryMs);
    }
  }

  ended(reason: ExitReason): void {
    this.#ended = true;
    for (const stop of this.#stops) stop();
    const { kernel, names } = this.#environment;
    names.letGo(this.#name, this);
    const release = (): void => {
      // Its restart took it up again, even if that one has ended as well by now.
      if (!names.isAbandoned(this.#name, this)) return;
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

  /** Whether the process has to go because another has its name. */
  #mustYield(): boolean {
    const { names } = this.#environment;
    if (names.isOurs(this.#name)) return false;
    return this.#mode === "strict" || names.isOwned(this.#name);
  }

  #requestHandOff(self: Self, candidates: readonly NodeAddress[]): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#stops.push(() => resolve(false));
    self.remind(new HandOffRequest(candidates, resolve));
    return promise;
  }

  async #handOff({ candidates, done }: HandOffRequest): Promise<void> {
    const pid = this.#child;
    if (pid === undefined) return done(false);
    const setClosed = (closed: boolean): void => {
      this.#closed = closed;
    };
    const { handOffs, names } = this.#environment;
    const movable = { name: this.#name, pid, setClosed, transfer: this.#transfer };
    const isMoved = await handOffs.move(movable, candidates);
    if (isMoved) {
      this.#child = undefined; // Its end is not a crash of this one.
      names.letGo(this.#name, this);
    }
    done(isMoved);
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

  /** A busy node is late for a moment: a start that did not wait for it would leave the name without an owner. */
  async #whileLate(): Promise<void> {
    const { kernel, sessions } = this.#environment;
    for (let waitedMs = 0; sessions.isLate() && waitedMs < lateMsMax; waitedMs += lateRetryMs)
      await sleep(kernel.clock, lateRetryMs);
  }

  #tryLater(self: Self, ms: number): void {
    this.#environment.kernel.clock.after(ms, () => self.remind(tryNow));
  }

  async #try(self: Self): Promise<void> {
    const { kernel, names, sessions, handOffs, isDraining } = this.#environment;
    // To claim without a lease of one's own would take the name from the next node that does the same, for ever.
    if (!sessions.mayAct()) return this.#tryLater(self, leaseRetryMs);
    if (isDraining()) return;
    try {
      const entry = names.get(this.#name);
      if (!names.hold(this.#name, this)) return;
      const saved = handOffs.take(this.#name);
      if (!(await names.claim(this.#name))) {
        names.letGo(this.#name, this);
        if (!names.isOwned(this.#name)) this.#tryLater(self, storeRetryMs);
        return;
      }
      if (entry !== undefined && entry.owner.node !== self.pid.node)
        kernel.logger.info(
          { event: "takeover", name: this.#name, from: entry.owner.node, epoch: this.#epoch() },
          `takes ${this.#name} over from node ${entry.owner.node}`,
        );
      await this.#run(self, saved);
    } catch (thrown) {
      await this.#stopChild(); // It may run, and nobody was told of it.
      if (!(thrown instanceof StoreUnavailableError)) throw thrown;
      kernel.logger.warn(
        { event: "claim_failed", name: this.#name, error: thrown.message },
        `${this.#name} could not be claimed yet: ${thrown.message}`,
      );
      this.#tryLater(self, storeRetryMs);
    }
  }

  async #run(self: Self, saved: SavedState | undefined): Promise<void> {
    const { names, kernel } = this.#environment;
    this.#closed = false;
    const result = await this.#start(self, saved);
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
    // Who has it now may be this node: a claim that was thought to have failed. The news of that has come already.
    this.#tryLater(self, storeRetryMs);
  }

  /** Starts the process, and gives it what its predecessor left. */
  async #start(self: Self, saved: SavedState | undefined): Promise<StartResult> {
    const { names, sessions } = this.#environment;
    const mayAct = (): boolean =>
      names.isOurs(this.#name) && sessions.mayActWith(names.get(this.#name)!.epoch);
    const isFree = this.#mode === "available";
    const result = await this.#how.start({
      link: self.pid,
      label: this.#name,
      restarts: this.#how.options.restarts ?? 0,
      fence: () => !this.#closed && (isFree || mayAct()),
    });
    if (result.type !== "started" || saved === undefined) return result;
    await this.#load(result.pid, saved.state);
    return result;
  }

  async #load(pid: Pid, state: unknown): Promise<void> {
    const { kernel } = this.#environment;
    try {
      if (this.#transfer !== undefined) await this.#transfer.load(pid, state);
      else await replaceState(kernel, pid, () => state as object, { timeoutMs: loadTimeoutMs });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      kernel.logger.error(
        { event: "load_failed", name: this.#name, error },
        `${this.#name} starts without the state that was handed over: ${error}`,
      );
    }
  }

  /** Stops the process without its end being a crash of this one. */
  async #stopChild(how: ExitReason = kill, self?: Self): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    const { kernel, names } = this.#environment;
    names.letGo(this.#name, this);
    if (child === undefined) return;
    const { promise, resolve } = Promise.withResolvers<ExitReason>();
    kernel.monitor(child, resolve);
    kernel.exit(child, how, self?.pid);
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
