/**
 * Cluster supervisors: children as data, each running on the node that placement gives it, taken over when that dies.
 *
 * What is to run is in the store (`cluster-children.ts`). Where, every node computes for itself (`placement-policy.ts`). Who
 * acts is decided by the name of each process, by compare-and-set and lease (`singleton.ts`). So nodes that disagree for a
 * moment cost a wait, never a process more or less.
 * Invariants:
 *   CS1. A child is forgotten only when it is removed, or ends as its `restart` says; a start or a takeover that fails is
 *        tried again, later and later.
 *   CS2. An end that comes from the name, a lease, a hand-off or a removal is not a failure.
 *
 * @module
 */
import { CoppiceError, isNormalLike, type Pid } from "@coppice/kernel";
import { type ClusterChild, checkClusterChild, instanceNames } from "./cluster-child.ts";
import type { ClusterSupervisorProcess } from "./cluster-supervisor-process.ts";

/** A child of that id is there already. */
export class ChildExistsError extends CoppiceError {
  static {
    this.prototype.name = "ChildExistsError";
  }
  readonly code = "already_started";
  readonly id: string;
  readonly pid: Pid | undefined;

  constructor(id: string, pid: Pid | undefined) {
    super(`the supervisor has a child ${id} already${pid === undefined ? "" : `, ${pid}`}`);
    this.id = id;
    this.pid = pid;
  }
}

/** A child was added, or is to end, and that has not happened in time. It is still being tried. */
export class ChildNotReadyError extends CoppiceError {
  static {
    this.prototype.name = "ChildNotReadyError";
  }
  readonly code = "child_not_ready";
  readonly id: string;

  constructor(id: string, what: string) {
    super(`child ${id} ${what}; it is still being tried`);
    this.id = id;
  }
}

/** The supervisor has no such child, or somebody else changed it in the same moment. */
export class NoSuchChildError extends CoppiceError {
  static {
    this.prototype.name = "NoSuchChildError";
  }
  readonly code = "no_such_child";

  constructor(id: string) {
    super(`the supervisor has no child ${id}, or it was changed by somebody else: look again`);
  }
}

/** One process of a child. */
export interface ClusterChildRow {
  readonly id: string;
  /** The name of this process: the id, or with replicas `id#1` and so on. */
  readonly name: string;
  readonly kind: string;
  readonly node: string | undefined;
  readonly pid: Pid | undefined;
  /** `starting`: no process answers to the name now. */
  readonly status: "running" | "starting";
}

export interface ClusterChildCounts {
  readonly children: number;
  /** Of all children together, how many processes there are to be. */
  readonly wanted: number;
  readonly running: number;
}

/** How long {@link ClusterSupervisor.startChild} and `terminateChild` wait, in milliseconds. */
export const readyTimeoutMsDefault = 5_000;

/** A cluster supervisor, managed from one of its nodes. Every node sees and manages the same children. */
export class ClusterSupervisor {
  readonly name: string;
  readonly pid: Pid;
  readonly #process: ClusterSupervisorProcess;

  /** For `ClusterNode.startClusterSupervisor`. */
  constructor(name: string, pid: Pid, process: ClusterSupervisorProcess) {
    this.name = name;
    this.pid = pid;
    this.#process = process;
  }

  /**
   * Adds a child, and waits until it runs. Returns the pid of its (first) process.
   *
   * @throws {ChildExistsError} if there is a child of that id.
   * @throws {ChildNotReadyError} if it does not run within `timeoutMs` (default: 5_000): it is kept and tried again.
   * @throws {ChildSpecError} {NotPlainDataError} {NameTooLongError} if it cannot be a child.
   * @throws {StoreUnavailableError} if the store does not answer: it may or may not have been added.
   */
  async startChild(
    child: ClusterChild,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<Pid | undefined> {
    checkClusterChild(child);
    const { children } = this.#process;
    if (!(await children.add(child)))
      throw new ChildExistsError(child.id, this.#process.pidOf(instanceNames(child)[0]));
    return this.#process.untilRunning(child, options.timeoutMs ?? readyTimeoutMsDefault);
  }

  /** Changes a child: more or fewer replicas, another placement. What runs with other arguments is not restarted. */
  async updateChild(child: ClusterChild): Promise<void> {
    checkClusterChild(child);
    if (!(await this.#process.children.replace(child))) throw new NoSuchChildError(child.id);
  }

  /**
   * Removes a child, wherever it runs, and waits until it has ended.
   *
   * @throws {NoSuchChildError} if there is none.
   * @throws {ChildNotReadyError} if it has not ended within `timeoutMs` (default: 5_000): it is removed all the same.
   */
  async terminateChild(id: string, options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const child = this.#process.children.get(id);
    if (child === undefined || !(await this.#process.children.remove(id)))
      throw new NoSuchChildError(id);
    await this.#process.untilEnded(child, options.timeoutMs ?? readyTimeoutMsDefault);
  }

  /** Every process of every child, on all nodes, sorted by id. */
  whichChildren(): readonly ClusterChildRow[] {
    return this.#process.rows();
  }

  countChildren(): ClusterChildCounts {
    const rows = this.whichChildren();
    const running = rows.filter(({ status }) => status === "running").length;
    return { children: this.#process.children.list().length, wanted: rows.length, running };
  }
}

/** Whether a child that ended is one no longer. */
export function isOver(
  { restart = "permanent" }: ClusterChild,
  reason: Parameters<typeof isNormalLike>[0],
): boolean {
  return restart === "temporary" || (restart === "transient" && isNormalLike(reason));
}
