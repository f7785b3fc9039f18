/**
 * The part of a cluster supervisor that runs on one node: starts, hands over and stops the processes that belong here.
 *
 * What to do about each is decided in `reconcile-policy.ts`; this file does it, whenever something changed, and once in a
 * while for everything.
 *
 * @module
 */
import {
  type Behaviour,
  type Clock,
  describeReason,
  type ExitReason,
  type Incoming,
  kill,
  type NodeAddress,
  normal,
  type Pid,
  type Self,
  shutdown,
  sleep,
} from "@coppice/kernel";
import { type Store, StoreUnavailableError } from "@coppice/net";
import type { ChildEnvironment, ChildSpec, GenServerClass } from "@coppice/otp";
import { GenServer } from "@coppice/otp";
import { startOf } from "./available.ts";
import { backOff, type FailureHistory } from "./backoff-policy.ts";
import { type ClusterChild, instanceNames } from "./cluster-child.ts";
import { ClusterChildren } from "./cluster-children.ts";
import { ChildNotReadyError, type ClusterChildRow, isOver } from "./cluster-supervisor.ts";
import type { StateTransfer } from "./hand-off.ts";
import type { NodeOwnership } from "./node-ownership.ts";
import type { NodeReach } from "./node-reach.ts";
import { place, type PlacementNode } from "./placement-policy.ts";
import { type Here, reconcile } from "./reconcile-policy.ts";
import type { Table } from "./replicated-tables.ts";
import { type SingletonHandle, startSingleton } from "./singleton.ts";

/** How a kind of child is started: a gen-server's class, or a function of the child's arguments. */
export type ChildKind = GenServerClass | ((...args: any[]) => KindSpec);

/** What a child of a kind is started with. */
export interface KindSpec extends Pick<ChildSpec, "start" | "prepare"> {
  /** How its state moves to another node. Default: as a gen-server's; what is none starts anew. */
  readonly transfer?: StateTransfer;
}

export interface ClusterSupervisorOptions {
  /** The same on every node that shares the children. */
  readonly name: string;
  /** What this node can start, by the name that children use. */
  readonly kinds: Readonly<Record<string, ChildKind>>;
  /**
   * Whether what runs moves when a node joins: `gently`, one process at a time once the nodes have settled, or `never`, only
   * when its node dies or drains. Default: `gently`.
   */
  readonly redistribute?: "gently" | "never";
}

/** How long the nodes must not have changed before what runs is moved, in milliseconds. */
export const settleMs = 2_000;
/** The pause between two moves, in milliseconds. */
const moveEveryMs = 20;
/** How often everything is looked at, in milliseconds: what was missed is found then. */
const lookEveryMs = 1_000;
const removeRetryMs = 500;

const lookNow = Symbol("look");

/** One process that is, or is to be, here. */
interface Instance {
  readonly name: string;
  readonly child: ClusterChild;
  pid: Pid | undefined;
  handle: SingletonHandle | undefined;
  restarts: number;
  failures: FailureHistory;
  state: "starting" | "running" | "waiting" | "stopping";
  stopTimer: (() => void) | undefined;
}

export interface ClusterSupervisorEnvironment {
  readonly ownership: NodeOwnership;
  readonly reach: NodeReach;
  readonly children: ChildEnvironment;
  /** Which nodes run the supervisor, and which kinds each can start. */
  readonly members: Table<readonly string[]>;
  /** Calls back when that changed. Returns what stops it. */
  readonly onMembers: (observer: () => void) => () => void;
  readonly store: Store;
  /** This node, as others see it. */
  readonly own: () => PlacementNode;
}

export class ClusterSupervisorProcess implements Behaviour {
  readonly children: ClusterChildren;
  readonly #options: ClusterSupervisorOptions;
  readonly #environment: ClusterSupervisorEnvironment;
  readonly #clock: Clock;
  readonly #instances = new Map<string, Instance>();
  /** Which child a name belongs to, of the children there are. */
  readonly #wanted = new Map<string, ClusterChild>();
  /** Names of removed children that still have an entry. */
  readonly #orphans = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #placed = new Map<string, readonly (string | undefined)[]>();
  readonly #stops: (() => void)[] = [];
  #membersChangedMs = 0;
  #isLookDue = false;
  #isMoving = false;
  #self: Self | undefined;
  #stopLook: (() => void) | undefined;
  #isStopping = false;

  constructor(options: ClusterSupervisorOptions, environment: ClusterSupervisorEnvironment) {
    this.#options = options;
    this.#environment = environment;
    this.#clock = environment.children.kernel.clock;
    this.children = new ClusterChildren({
      store: environment.store,
      supervisor: options.name,
      onChange: (before, after) => this.#childChanged(before, after),
    });
  }

  async start(self: Self): Promise<void> {
    this.#self = self;
    const { ownership, members, onMembers } = this.#environment;
    await this.children.start();
    members.write({ added: [[this.#options.name, Object.keys(this.#options.kinds)]] });
    this.#stops.push(
      ownership.names.observeAll((name) => {
        if (this.#wanted.has(name) || this.#instances.has(name) || this.#orphans.has(name))
          this.#look(name);
      }),
      ownership.onSessions(() => this.#membersChanged()),
      onMembers(() => this.#membersChanged()),
      ownership.handOffs.accept((name) => this.#accepts(name)),
    );
    this.#lookRegularly();
  }

  handle(message: Incoming, self: Self): void | Promise<void> {
    if (message.type === "exit") {
      if (self.isParent(message.from)) return this.#stop(message.reason, self);
      const instance = [...this.#instances.values()].find(
        ({ pid }) => pid !== undefined && pid.serial === message.from.serial,
      );
      if (instance !== undefined) this.#ended(instance, message.reason);
    }
    if (message.type === "info" && message.message === lookNow) this.#lookAtDirty();
  }

  ended(): void {
    this.#isStopping = true;
    this.#stopLook?.();
    for (const stop of this.#stops) stop();
    for (const { stopTimer } of this.#instances.values()) stopTimer?.();
    this.children.stop();
    this.#environment.members.write({ removed: [this.#options.name] });
  }

  describe(): Readonly<Record<string, unknown>> {
    return { supervisor: this.#options.name, here: this.#instances.size };
  }

  rows(): readonly ClusterChildRow[] {
    return this.children.list().flatMap((child) =>
      instanceNames(child).map((name): ClusterChildRow => {
        const { names } = this.#environment.ownership;
        const entry = names.isOwned(name) ? names.get(name) : undefined;
        const pid = entry?.pid;
        const status = pid === undefined ? "starting" : "running";
        return { id: child.id, name, kind: child.kind, node: entry?.owner.node, pid, status };
      }),
    );
  }

  pidOf(name: string | undefined): Pid | undefined {
    return name === undefined ? undefined : this.#environment.ownership.names.get(name)?.pid;
  }

  async untilRunning(child: ClusterChild, timeoutMs: number): Promise<Pid | undefined> {
    const all = instanceNames(child);
    const isReady = (): boolean => all.every((name) => this.pidOf(name) !== undefined);
    if (!(await this.#until(all, isReady, timeoutMs)))
      throw new ChildNotReadyError(child.id, `does not run after ${timeoutMs} ms`);
    return this.pidOf(all[0]);
  }

  async untilEnded(child: ClusterChild, timeoutMs: number): Promise<void> {
    const { names } = this.#environment.ownership;
    const all = instanceNames(child);
    const isReady = (): boolean => all.every((name) => names.get(name) === undefined);
    if (!(await this.#until(all, isReady, timeoutMs)))
      throw new ChildNotReadyError(child.id, `has not ended after ${timeoutMs} ms`);
  }

  async #until(
    all: readonly string[],
    isReady: () => boolean,
    timeoutMs: number,
  ): Promise<boolean> {
    const { names } = this.#environment.ownership;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const stopTimer = this.#clock.after(timeoutMs, () => resolve(isReady()));
    const stops = all.map((name) => names.observe(name, () => isReady() && resolve(true)));
    if (isReady()) resolve(true);
    const result = await promise;
    stopTimer();
    for (const stop of stops) stop();
    return result;
  }

  #childChanged(before: ClusterChild | undefined, after: ClusterChild | undefined): void {
    const old = before === undefined ? [] : instanceNames(before);
    const now = after === undefined ? [] : instanceNames(after);
    this.#placed.delete((after ?? before)!.id);
    for (const name of old) {
      this.#wanted.delete(name);
      this.#orphans.add(name);
    }
    for (const name of now) {
      this.#wanted.set(name, after!);
      this.#orphans.delete(name);
    }
    for (const name of [...old, ...now]) this.#look(name);
  }

  #membersChanged(): void {
    this.#membersChangedMs = this.#clock.now();
    this.#placed.clear();
    this.#lookAtAll();
  }

  readonly #lookRegularly = (): void => {
    this.#lookAtAll();
    this.#stopLook = this.#clock.after(lookEveryMs, this.#lookRegularly);
  };

  #lookAtAll(): void {
    for (const all of [this.#wanted, this.#instances, this.#orphans])
      for (const name of all.keys()) this.#look(name);
  }

  #look(name: string): void {
    this.#dirty.add(name);
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    this.#self?.remind(lookNow);
  }

  #lookAtDirty(): void {
    this.#isLookDue = false;
    const { sessions, isDraining } = this.#environment.ownership;
    if (!sessions.mayAct() && !isDraining) return; // Looked at again regularly.
    const all = [...this.#dirty];
    this.#dirty.clear();
    for (const name of all) this.#reconcile(name);
  }

  #reconcile(name: string): void {
    const instance = this.#instances.get(name);
    const child = this.#wanted.get(name);
    if (this.#orphans.has(name)) this.#buryOrphan(name);
    const step = reconcile({
      isWanted: child !== undefined,
      here: hereOf(instance),
      designated: child === undefined ? "nowhere" : this.#designated(child, name),
      isOurs: this.#environment.ownership.names.isOurs(name),
    });
    if (step === "start" && !this.#isStopping) this.#begin(name, child!);
    if (step === "stop") this.#end(instance!);
    if (step === "move") void this.#move(instance!);
  }

  #designated(child: ClusterChild, name: string): "here" | "elsewhere" | "nowhere" {
    const node = this.#placeOf(child, name);
    if (node === undefined) return "nowhere";
    const { kernel } = this.#environment.children;
    return node === kernel.address.node ? "here" : "elsewhere";
  }

  #placeOf(child: ClusterChild, name: string): string | undefined {
    let places = this.#placed.get(child.id);
    if (places === undefined) {
      const { id, count = 1, placement = {} } = child;
      places = place({ id, count, placement }, this.#nodesFor(child.kind));
      this.#placed.set(id, places);
    }
    return places[instanceNames(child).indexOf(name)];
  }

  /** The nodes that run this supervisor, know the kind, and take what is placed. */
  #nodesFor(kind: string): readonly PlacementNode[] {
    const { ownership, members, own } = this.#environment;
    const able = new Set<string>();
    for (const [{ node }, supervisor, kinds] of members.rows())
      if (supervisor === this.#options.name && kinds.includes(kind)) able.add(node);
    const all = ownership.isDraining ? ownership.takers() : [own(), ...ownership.takers()];
    return all.filter(({ node }) => able.has(node));
  }

  #accepts(name: string): boolean {
    const { ownership } = this.#environment;
    const child = this.#wanted.get(name);
    return (
      child !== undefined &&
      Object.hasOwn(this.#options.kinds, child.kind) &&
      !ownership.isDraining &&
      ownership.sessions.mayAct() &&
      this.#instances.get(name)?.state !== "stopping"
    );
  }

  #begin(name: string, child: ClusterChild): void {
    const instance: Instance = {
      name,
      child,
      pid: undefined,
      handle: undefined,
      restarts: 0,
      failures: [],
      state: "waiting",
      stopTimer: undefined,
    };
    this.#instances.set(name, instance);
    void this.#start(instance);
  }

  async #start(instance: Instance): Promise<void> {
    const { name, child, restarts } = instance;
    const { environment } = this.#environment.ownership;
    const { start, prepare, transfer } = this.#specOf(child);
    instance.state = "starting";
    this.#environment.ownership.names.letGo(name, instance);
    const result = await startSingleton({
      name,
      mode: child.mode ?? "strict",
      environment: {
        ...environment,
        announce: (handle) => {
          instance.handle = handle;
          return environment.announce(handle);
        },
      },
      how: {
        options: { link: this.#self!.pid, label: name, restarts },
        start: (options) => startOf({ id: name, start })(options, this.#environment.children),
        prepare: async () => prepare?.(this.#environment.children),
      },
      transfer,
    });
    if (result.type === "started") {
      instance.pid = result.pid;
      const isUnwanted = instance.state !== "starting"; // Stopped while it started.
      instance.state = "running";
      if (isUnwanted) this.#end(instance);
      return this.#look(name);
    }
    if (instance.state !== "starting") return this.#gone(instance);
    this.#failed(instance, result.type === "failed" ? result.reason : normal, true);
  }

  /** A kind that cannot make the child is a start that fails. */
  #specOf({ kind, args = [] }: ClusterChild): KindSpec {
    const known = this.#options.kinds[kind];
    try {
      if (known === undefined) throw new RangeError(`this node has no kind ${kind}`);
      return isClass(known) ? { start: [known, ...args] } : known(...args);
    } catch (thrown) {
      return { start: () => Promise.reject(thrown) };
    }
  }

  #ended(instance: Instance, reason: ExitReason): void {
    instance.pid = undefined;
    if (instance.state === "stopping") return this.#gone(instance);
    if (isOver(instance.child, reason)) {
      void this.#remove(instance.child.id);
      return this.#gone(instance);
    }
    this.#failed(instance, reason, false);
  }

  #failed(instance: Instance, reason: ExitReason, isStart: boolean): void {
    const { history, delayMs } = backOff(instance.failures, this.#clock.now(), isStart);
    const { logger } = this.#environment.children.kernel;
    const { name } = instance;
    const what = isStart ? "did not start" : "ended";
    logger.error(
      { event: isStart ? "start_error" : "child_terminated", child: name, reason, delayMs },
      `${this.#options.name}: ${name} ${what}: ${describeReason(reason)}; starting it again in ${delayMs} ms`,
    );
    instance.failures = history;
    instance.restarts += 1;
    instance.state = "waiting";
    instance.handle = undefined;
    this.#environment.ownership.names.hold(name, instance); // So that callers wait for the next start.
    instance.stopTimer = this.#clock.after(delayMs, () => {
      if (instance.state === "waiting" && !this.#isStopping) void this.#start(instance);
    });
    this.#look(name);
  }

  #end(instance: Instance): void {
    if (instance.state === "waiting") return this.#gone(instance);
    if (instance.state === "stopping") return;
    instance.state = "stopping";
    if (instance.pid !== undefined) this.#exit(instance.pid, shutdown);
  }

  #exit(pid: Pid, reason: ExitReason): void {
    this.#environment.children.kernel.exit(pid, reason, this.#self!.pid);
  }

  #gone(instance: Instance): void {
    instance.stopTimer?.();
    this.#giveUp(instance);
    if (this.#instances.get(instance.name) === instance) this.#instances.delete(instance.name);
    this.#look(instance.name);
  }

  /** Gives up a name that was kept for the next start. */
  #giveUp(instance: Instance): void {
    const { names } = this.#environment.ownership;
    names.letGo(instance.name, instance);
    if (names.isHeld(instance.name)) return;
    names.release(instance.name).catch((thrown: unknown) => {
      if (!(thrown instanceof StoreUnavailableError)) throw thrown; // Looked at again regularly.
    });
  }

  async #remove(id: string): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.children.remove(id);
        return;
      } catch (thrown) {
        if (!(thrown instanceof StoreUnavailableError)) throw thrown;
        await sleep(this.#clock, removeRetryMs);
      }
    }
  }

  /** The entry of a name that nobody is to run again: its owner releases it; of a dead owner anybody does. */
  #buryOrphan(name: string): void {
    const { names } = this.#environment.ownership;
    if (names.get(name) === undefined) return void this.#orphans.delete(name);
    if (names.isOwned(name)) return;
    names.removeDead(name).catch((thrown: unknown) => {
      if (!(thrown instanceof StoreUnavailableError)) throw thrown; // Looked at again regularly.
    });
  }

  /** One at a time, so that the cluster is never busy with moving alone. */
  async #move(instance: Instance): Promise<void> {
    const { ownership, reach } = this.#environment;
    const { redistribute = "gently" } = this.#options;
    const isSettled = this.#clock.now() - this.#membersChangedMs >= settleMs;
    if (this.#isMoving || ownership.isDraining) return; // What drains is moved by the drain.
    if (redistribute === "never" || !isSettled) return;
    const node = this.#placeOf(instance.child, instance.name);
    const address = node === undefined ? undefined : reach.view.addressOf(node);
    if (address === undefined || instance.handle === undefined) return;
    this.#isMoving = true;
    const candidates: readonly NodeAddress[] = [address];
    await instance.handle.handOff(candidates);
    await sleep(this.#clock, moveEveryMs);
    this.#isMoving = false;
    this.#lookAtAll();
  }

  async #stop(reason: ExitReason, self: Self): Promise<void> {
    this.#isStopping = true;
    const { kernel } = this.#environment.children;
    const running = [...this.#instances.values()].flatMap(({ pid }) => pid ?? []);
    await Promise.all(
      running.map(async (pid) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        kernel.monitor(pid, () => resolve());
        this.#exit(pid, shutdown);
        const stopTimer = this.#clock.after(stopMsMax, () => this.#exit(pid, kill));
        await promise;
        stopTimer();
      }),
    );
    self.exit(reason);
  }
}

/** How long a child may take to stop before it is killed, in milliseconds. */
const stopMsMax = 5_000;

function hereOf(instance: Instance | undefined): Here {
  if (instance === undefined) return "none";
  if (instance.state !== "running") return "waiting";
  return instance.handle?.isActive() === true ? "active" : "standby";
}

function isClass(kind: ChildKind): kind is GenServerClass {
  return kind.prototype instanceof GenServer;
}
