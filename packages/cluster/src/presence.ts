/**
 * Presence: who is here, with what they say about themselves, seen the same from every node that can reach the others.
 *
 * Each node keeps the presences of its own processes and tells the others; after a split has healed, the lists are those
 * of both sides. A presence ends with its process, and for the others with their connection to its node.
 *
 * @module
 */
import { CoppiceError, type Kernel, type Pid } from "@coppice/kernel";
import { BadFrameError, encode } from "@coppice/net";
import type { Outlet, Outlets } from "./outlet.ts";
import {
  type PresenceChange,
  type PresenceList,
  type PresenceMeta,
  type PresenceRow,
  PresenceState,
} from "./presence-state.ts";
import type { Diff } from "./replica-state.ts";
import type { ReplicatedTables, Table } from "./replicated-tables.ts";

/** The most bytes that one presence may say about itself. */
export const metaBytesMax = 16 * 1024;

/** Told to who subscribed to the presences of a topic, as a plain message. */
export class PresenceDiff implements PresenceChange {
  readonly topic: string;
  readonly joins: PresenceList;
  readonly leaves: PresenceList;

  constructor(topic: string, { joins, leaves }: PresenceChange) {
    this.topic = topic;
    this.joins = joins;
    this.leaves = leaves;
  }
}

/** The process is present there under that key already: update it instead. */
export class AlreadyTrackedError extends CoppiceError {
  static {
    this.prototype.name = "AlreadyTrackedError";
  }
  readonly code = "already_tracked";
  readonly topic: string;
  readonly key: string;

  constructor(pid: Pid, topic: string, key: string) {
    super(`${pid} is present in ${topic} as ${key} already: update it, or untrack it first`);
    this.topic = topic;
    this.key = key;
  }
}

/** The process is not present there under that key. */
export class NotTrackedError extends CoppiceError {
  static {
    this.prototype.name = "NotTrackedError";
  }
  readonly code = "not_tracked";

  constructor(pid: Pid, topic: string, key: string) {
    super(`${pid} is not present in ${topic} as ${key}: track it first`);
  }
}

interface Watching {
  readonly pid: Pid;
  readonly outlet: Outlet;
  readonly stop: () => void;
}

export class Presence {
  readonly #kernel: Kernel;
  readonly #outlets: Outlets;
  readonly #table: Table<PresenceRow>;
  readonly #state = new PresenceState();
  /** By serial number of a process of this node: its rows, and what stops its monitor. */
  readonly #tracked = new Map<number, { readonly rows: Set<string>; readonly stop: () => void }>();
  /** By topic. */
  readonly #watching = new Map<string, Watching[]>();
  #refs = 0;

  constructor(options: {
    readonly kernel: Kernel;
    readonly outlets: Outlets;
    readonly tables: ReplicatedTables;
  }) {
    this.#kernel = options.kernel;
    this.#outlets = options.outlets;
    this.#table = options.tables.open("presence", {
      parse: parseRow,
      onChange: (diff) => this.#changed(diff),
    });
  }

  /**
   * Makes a process of this node present in a topic under a key, until it ends. Returns the `ref` of the presence.
   *
   * @throws {AlreadyTrackedError} if it is present there under that key.
   * @throws {RangeError} if it is not alive here, or says more than {@link metaBytesMax} bytes about itself.
   * @throws {NotPlainDataError} for a `meta` that could not cross nodes.
   */
  track(topic: string, key: string, pid: Pid, meta: unknown = {}): string {
    checkMeta(meta);
    if (!this.#kernel.isAlive(pid))
      throw new RangeError(`${pid} cannot be tracked here: it is not alive on this node`);
    const row = rowOf(pid, topic, key);
    if (this.#table.own(row) !== undefined) throw new AlreadyTrackedError(pid, topic, key);
    this.#rowsOf(pid).add(row);
    return this.#write(row, { topic, key, meta });
  }

  /**
   * Changes what the process says about itself. Returns the new `ref`.
   *
   * @throws {NotTrackedError} if it is not present there under that key.
   * @throws {RangeError} {NotPlainDataError} as {@link track}.
   */
  update(topic: string, key: string, pid: Pid, meta: unknown): string {
    checkMeta(meta);
    const row = rowOf(pid, topic, key);
    const own = this.#table.own(row);
    if (own === undefined) throw new NotTrackedError(pid, topic, key);
    return this.#write(row, { topic, key, meta, previousRef: own.ref });
  }

  /** Ends a presence. Does nothing if there is none. */
  untrack(topic: string, key: string, pid: Pid): void {
    this.#remove(pid, [rowOf(pid, topic, key)]);
  }

  /** Ends every presence of a process. */
  untrackAll(pid: Pid): void {
    this.#remove(pid, [...(this.#tracked.get(pid.serial)?.rows ?? [])]);
  }

  /** Who is in a topic, on every node that can be reached. */
  list(topic: string): PresenceList {
    return this.#state.list(topic);
  }

  /** The presences under one key; none is an empty list. */
  get(topic: string, key: string): readonly PresenceMeta[] {
    return this.#state.get(topic, key);
  }

  /** Tells a process of this node every change of a topic ({@link PresenceDiff}) from now on. Returns who is there now. */
  subscribe(topic: string, pid: Pid): PresenceList {
    const outlet = this.#outlets.open(pid, `presence ${topic}`);
    const stop = this.#kernel.monitor(pid, () => this.unsubscribe(topic, pid));
    this.#watching.set(topic, [...(this.#watching.get(topic) ?? []), { pid, outlet, stop }]);
    return this.list(topic);
  }

  unsubscribe(topic: string, pid: Pid): void {
    const all = this.#watching.get(topic) ?? [];
    const left = all.filter((each) => each.pid.toString() !== pid.toString());
    for (const { stop } of all.filter((each) => !left.includes(each))) stop();
    if (left.length > 0) this.#watching.set(topic, left);
    else this.#watching.delete(topic);
  }

  #write(row: string, value: Omit<PresenceRow, "ref">): string {
    this.#refs += 1;
    const ref = `${this.#kernel.address.incarnation}.${this.#refs}`;
    this.#table.write({ added: [[row, { ...value, ref }]] });
    return ref;
  }

  #rowsOf(pid: Pid): Set<string> {
    const known = this.#tracked.get(pid.serial);
    if (known !== undefined) return known.rows;
    const stop = this.#kernel.monitor(pid, () => this.untrackAll(pid));
    const rows = new Set<string>();
    this.#tracked.set(pid.serial, { rows, stop });
    return rows;
  }

  #remove(pid: Pid, removed: readonly string[]): void {
    const tracked = this.#tracked.get(pid.serial);
    for (const row of removed) tracked?.rows.delete(row);
    if (tracked?.rows.size === 0) {
      tracked.stop();
      this.#tracked.delete(pid.serial);
    }
    this.#table.write({ removed });
  }

  #changed(diff: Diff<PresenceRow>): void {
    for (const [topic, change] of this.#state.apply(diff))
      for (const { outlet } of this.#watching.get(topic) ?? [])
        outlet.deliver(new PresenceDiff(topic, change));
  }
}

function checkMeta(meta: unknown): void {
  const bytes = encode(meta).length;
  if (bytes > metaBytesMax)
    throw new RangeError(
      `a presence may say at most ${metaBytesMax} bytes about itself, not ${bytes}: keep the rest elsewhere`,
    );
}

function rowOf(pid: Pid, topic: string, key: string): string {
  return JSON.stringify([pid.serial, topic, key]);
}

function parseRow(value: unknown): PresenceRow {
  const { topic, key, ref, previousRef, meta } = (value ?? {}) as Record<string, unknown>;
  if (typeof topic !== "string" || typeof key !== "string" || typeof ref !== "string")
    throw new BadFrameError("a presence is malformed");
  return { topic, key, ref, meta, ...(typeof previousRef === "string" ? { previousRef } : {}) };
}
