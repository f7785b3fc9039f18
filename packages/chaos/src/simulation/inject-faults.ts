/**
 * Carries a fault plan out on a simulated cluster.
 *
 * @module
 */
import type { ClusterNode } from "@coppice/cluster";
import { type SimulatedCluster, startAgainMs } from "@coppice/testkit";
import { effectsOf, type FaultEffects } from "./fault-effects.ts";
import type { Fault, FaultPlan } from "./fault-plan.ts";

/** What the injector tells of. */
export interface InjectionObserver {
  /** A fault begins; it ends `durationMs` later. */
  readonly began: (fault: Fault) => void;
  /** A node is about to be killed. */
  readonly killed: (name: string) => void;
  /** A node begins to stop in order, and has stopped. */
  readonly stopping: (name: string) => void;
  readonly stopped: (name: string) => void;
}

export class FaultInjector {
  readonly #cluster: SimulatedCluster;
  readonly #observer: InjectionObserver;
  readonly #active = new Set<Fault>();
  /** Nodes that are to stay down, with how many faults want that. */
  readonly #down = new Map<string, number>();
  #effects: FaultEffects;

  constructor(cluster: SimulatedCluster, observer: InjectionObserver) {
    this.#cluster = cluster;
    this.#observer = observer;
    this.#effects = effectsOf([], cluster.names);
  }

  /** Plans every fault from now on. */
  inject(plan: FaultPlan): void {
    for (const fault of plan) {
      if (fault.kind === "clock-rate") continue; // Part of the machine from the beginning.
      this.#cluster.clock.after(fault.atMs, () => this.#begin(fault));
    }
  }

  /** A node has ended by itself, because it was frozen beyond its lease: it is started again unless it is to stay down. */
  deposed(name: string): void {
    this.#observer.killed(name);
    this.#launchLater(name);
  }

  #begin(fault: Fault): void {
    this.#observer.began(fault);
    const { kind, targets, durationMs, amount } = fault;
    const [name = ""] = targets;
    if (kind === "wall-jump") return this.#cluster.jumpWall(name, amount);
    if (kind === "reset") return this.#cluster.reset(name, durationMs, amount);
    if (kind === "network-restart")
      for (const each of this.#cluster.names) this.#cluster.reset(each, durationMs);
    if (kind === "crash" || kind === "stop") this.#takeDown(fault, name);
    this.#active.add(fault);
    this.#apply();
    this.#cluster.clock.after(durationMs, () => {
      this.#active.delete(fault);
      this.#apply();
      if (kind === "crash" || kind === "stop") this.#bringUp(name);
    });
  }

  #takeDown({ kind }: Fault, name: string): void {
    this.#down.set(name, (this.#down.get(name) ?? 0) + 1);
    if (kind === "crash" || !this.#cluster.isRunning(name) || this.#cluster.isFrozen(name))
      return this.#kill(name);
    void this.#stop(this.#cluster.node(name), name);
  }

  #kill(name: string): void {
    this.#observer.killed(name);
    this.#cluster.kill(name);
  }

  async #stop(node: ClusterNode, name: string): Promise<void> {
    this.#observer.stopping(name);
    await node.stop();
    if (!this.#cluster.isRunning(name) || this.#cluster.node(name) !== node) return;
    this.#observer.stopped(name);
    this.#kill(name);
    if (!this.#down.has(name)) this.#launch(name);
  }

  #bringUp(name: string): void {
    const left = this.#down.get(name)! - 1;
    if (left > 0) return void this.#down.set(name, left);
    this.#down.delete(name);
    // One that still stops is started when it has.
    if (!this.#cluster.isAlive(name)) this.#launch(name);
  }

  /** Starts a node; a start that fails, because the store does not answer, is tried again. */
  #launch(name: string): void {
    this.#cluster.launch(name).catch(() => this.#launchLater(name));
  }

  #launchLater(name: string): void {
    this.#cluster.clock.after(startAgainMs, () => {
      if (!this.#down.has(name) && !this.#cluster.isAlive(name)) this.#launch(name);
    });
  }

  #apply(): void {
    const cluster = this.#cluster;
    const before = this.#effects;
    const now = effectsOf([...this.#active], cluster.names);
    this.#effects = now;
    if (now.storeState !== before.storeState) cluster.setStoreState(now.storeState);
    for (const cut of before.cuts) if (!now.cuts.includes(cut)) cluster.mend(...pair(cut));
    for (const cut of now.cuts) if (!before.cuts.includes(cut)) cluster.cut(...pair(cut));
    for (const name of cluster.names) {
      if (differs(now.links[name], before.links[name])) cluster.setLink(name, now.links[name]!);
      if (differs(now.stores[name], before.stores[name])) cluster.setStore(name, now.stores[name]!);
      const [is, was] = [now.frozen.includes(name), before.frozen.includes(name)];
      if (is && !was) cluster.freeze(name);
      if (was && !is) cluster.thaw(name);
    }
  }
}

function pair(cut: string): [string, string] {
  const [from = "", to = ""] = cut.split(">");
  return [from, to];
}

function differs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}
