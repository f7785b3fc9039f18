/**
 * Process groups, as Erlang's `pg`: names under which any number of processes of any node can be found.
 *
 * A process may join a group more than once and is then its member as often. Membership ends with the process, and for
 * the others with their connection to its node; it is there again when that is back. Eventually consistent, no lock.
 *
 * @module
 */
import { type Kernel, Pid } from "@coppice/kernel";
import { BadFrameError } from "@coppice/net";
import type { Outlet, Outlets } from "./outlet.ts";
import type { Diff, Row } from "./replica-state.ts";
import type { ReplicatedTables, Table } from "./replicated-tables.ts";

/** Told to who monitors a group, as a plain message. */
export class GroupEvent {
  readonly type: "join" | "leave";
  readonly group: string;
  /** A process that joined twice at once is in it twice. */
  readonly pids: readonly Pid[];
  /** What {@link Groups.monitor} returned. */
  readonly ref: number;

  constructor(type: "join" | "leave", group: string, pids: readonly Pid[], ref: number) {
    this.type = type;
    this.group = group;
    this.pids = pids;
    this.ref = ref;
  }
}

/** What a monitor begins with. */
export interface GroupMonitor {
  readonly ref: number;
  /** The members at this moment: every later change comes as an event. */
  readonly members: readonly Pid[];
}

/** What a scope monitor begins with. */
export interface ScopeMonitor {
  readonly ref: number;
  readonly groups: ReadonlyMap<string, readonly Pid[]>;
}

interface Watching {
  /** Nothing: every group. */
  readonly group: string | undefined;
  readonly outlet: Outlet;
  readonly stop: () => void;
}

/** One process in one group. */
interface Membership {
  readonly pid: Pid;
  readonly count: number;
}

export class Groups {
  readonly #kernel: Kernel;
  readonly #outlets: Outlets;
  /** A row is one process in one group: how often it joined. */
  readonly #table: Table<number>;
  /** Members of all nodes, by group and printed pid. */
  readonly #members = new Map<string, Map<string, Membership>>();
  /** By serial number of a process of this node: its groups, and what stops its monitor. */
  readonly #joined = new Map<number, { readonly groups: Set<string>; readonly stop: () => void }>();
  readonly #watching = new Map<number, Watching>();
  #refs = 0;

  constructor(options: {
    readonly kernel: Kernel;
    readonly outlets: Outlets;
    readonly tables: ReplicatedTables;
  }) {
    this.#kernel = options.kernel;
    this.#outlets = options.outlets;
    this.#table = options.tables.open("groups", {
      parse: (value) => {
        if (typeof value === "number") return value;
        throw new BadFrameError("a membership is malformed");
      },
      onChange: (diff) => this.#changed(diff),
    });
  }

  /** Makes processes of this node members. @throws {RangeError} if one of them is not alive here. */
  join(group: string, pids: Pid | readonly Pid[]): void {
    const joining = listOf(pids);
    for (const pid of joining)
      if (!this.#kernel.isAlive(pid))
        throw new RangeError(`${pid} cannot join ${group} here: it is not alive on this node`);
    const counts = new Map<number, number>();
    for (const { serial } of joining)
      counts.set(serial, (counts.get(serial) ?? this.#count(serial, group)) + 1);
    for (const pid of joining) this.#groupsOf(pid).add(group);
    this.#table.write({ added: rows(counts, group) });
  }

  /**
   * Ends one membership of each of the processes. Returns whether one of them had any.
   *
   * @throws {RangeError} if one of them is of another node.
   */
  leave(group: string, pids: Pid | readonly Pid[]): boolean {
    const counts = new Map<number, number>();
    for (const pid of listOf(pids)) {
      if (pid.node !== this.#kernel.address.node)
        throw new RangeError(`${pid} cannot leave ${group} here: it is of another node`);
      const count = counts.get(pid.serial) ?? this.#count(pid.serial, group);
      if (count > 0) counts.set(pid.serial, count - 1);
    }
    const gone = [...counts].filter(([, count]) => count === 0).map(([serial]) => serial);
    for (const serial of gone) {
      this.#forget(serial, group);
      counts.delete(serial);
    }
    const removed = gone.map((serial) => keyOf(serial, group));
    this.#table.write({ removed, added: rows(counts, group) });
    return removed.length > 0 || counts.size > 0;
  }

  /** The members on every node that can be reached, as often as they joined. */
  members(group: string): readonly Pid[] {
    const memberships = this.#members.get(group)?.values() ?? [];
    return [...memberships].flatMap(({ pid, count }) => Array<Pid>(count).fill(pid));
  }

  /** The members on this node, as often as they joined. */
  localMembers(group: string): readonly Pid[] {
    const { node } = this.#kernel.address;
    return this.members(group).filter((pid) => pid.node === node);
  }

  /** The groups that have a member, sorted. */
  which(): readonly string[] {
    return [...this.#members.keys()].sort();
  }

  /** Tells a process of this node every join and leave of a group from now on, until it ends. */
  monitor(group: string, pid: Pid): GroupMonitor {
    return { ref: this.#watch(group, pid), members: this.members(group) };
  }

  /** As {@link monitor}, of every group. */
  monitorAll(pid: Pid): ScopeMonitor {
    const groups = new Map(this.which().map((group) => [group, this.members(group)]));
    return { ref: this.#watch(undefined, pid), groups };
  }

  /** Ends a monitor. Returns whether there was one. Events that already wait in the mailbox stay there. */
  demonitor(ref: number): boolean {
    this.#watching.get(ref)?.stop();
    return this.#watching.delete(ref);
  }

  /** Sends a message to every member on every node, once for each membership. Returns to how many. */
  publish(group: string, message: unknown): number {
    const pids = this.members(group);
    for (const pid of pids) this.#kernel.send(pid, message);
    return pids.length;
  }

  #watch(group: string | undefined, pid: Pid): number {
    this.#refs += 1;
    const ref = this.#refs;
    const outlet = this.#outlets.open(pid, group === undefined ? "groups" : `group ${group}`);
    const stop = this.#kernel.monitor(pid, () => this.#watching.delete(ref));
    this.#watching.set(ref, { group, outlet, stop });
    return ref;
  }

  #groupsOf(pid: Pid): Set<string> {
    const known = this.#joined.get(pid.serial);
    if (known !== undefined) return known.groups;
    const groups = new Set<string>();
    const stop = this.#kernel.monitor(pid, () => this.#ended(pid.serial));
    this.#joined.set(pid.serial, { groups, stop });
    return groups;
  }

  #ended(serial: number): void {
    const { groups } = this.#joined.get(serial)!;
    this.#joined.delete(serial);
    this.#table.write({ removed: [...groups].map((group) => keyOf(serial, group)) });
  }

  #forget(serial: number, group: string): void {
    const joined = this.#joined.get(serial);
    joined?.groups.delete(group);
    if (joined?.groups.size !== 0) return;
    joined.stop();
    this.#joined.delete(serial);
  }

  #count(serial: number, group: string): number {
    return this.#table.own(keyOf(serial, group)) ?? 0;
  }

  #changed({ from, removed, added }: Diff<number>): void {
    const before = new Map(removed);
    const after = new Map(added);
    const changes = new Map<string, { readonly left: Pid[]; readonly joined: Pid[] }>();
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const { serial, group } = parseKey(key);
      const pid = new Pid(from.node, from.incarnation, serial);
      const [was, is] = [before.get(key) ?? 0, after.get(key) ?? 0];
      this.#set(group, pid, is);
      const change = changes.get(group) ?? { left: [], joined: [] };
      changes.set(group, change);
      for (let count = is; count < was; count += 1) change.left.push(pid);
      for (let count = was; count < is; count += 1) change.joined.push(pid);
    }
    for (const [group, { left, joined }] of changes) {
      this.#tell("leave", group, left);
      this.#tell("join", group, joined);
    }
  }

  #set(group: string, pid: Pid, count: number): void {
    const memberships = this.#members.get(group) ?? new Map<string, Membership>();
    if (count > 0) memberships.set(pid.toString(), { pid, count });
    else memberships.delete(pid.toString());
    if (memberships.size > 0) this.#members.set(group, memberships);
    else this.#members.delete(group);
  }

  #tell(type: "join" | "leave", group: string, pids: readonly Pid[]): void {
    if (pids.length === 0) return;
    for (const [ref, watching] of this.#watching)
      if (watching.group === undefined || watching.group === group)
        watching.outlet.deliver(new GroupEvent(type, group, pids, ref));
  }
}

function listOf(pids: Pid | readonly Pid[]): readonly Pid[] {
  return pids instanceof Pid ? [pids] : pids;
}

function rows(counts: ReadonlyMap<number, number>, group: string): Row<number>[] {
  return [...counts].map(([serial, count]) => [keyOf(serial, group), count] as const);
}

function keyOf(serial: number, group: string): string {
  return `${serial} ${group}`;
}

function parseKey(key: string): { readonly serial: number; readonly group: string } {
  const at = key.indexOf(" ");
  return { serial: Number(key.slice(0, at)), group: key.slice(at + 1) };
}
