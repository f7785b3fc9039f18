/**
 * Registries: processes of one node found by a key of any plain data, one process a key or many (D1).
 *
 * The table is kept in the memory of its node and read without asking a process. The registry is a process all the same:
 * a supervisor starts it, and when it ends abnormally every process that holds a key ends with it, because what they
 * believe about their names is no longer true. Reads never show a process that has ended.
 *
 * @example Counters by name
 * ```ts
 * import assert from "node:assert/strict";
 * import { Kernel, silentLogger, systemClock, systemRandom } from "@coppice/kernel";
 * import { callName, GenServer, Registry, startSupervisor, viaChild } from "@coppice/otp";
 *
 * class Counter extends GenServer {
 *   #count = 0;
 *   add(amount: number): number {
 *     this.#count += amount;
 *     return this.#count;
 *   }
 * }
 *
 * const kernel = new Kernel({
 *   node: "a", incarnation: "1", clock: systemClock, random: systemRandom, logger: silentLogger,
 * });
 * const counters = new Registry<[room: string, what: string], string>(kernel, {
 *   name: "counters",
 *   keys: "unique",
 * });
 * const visits = { registry: counters, key: ["lobby", "visits"], value: "since Monday" } as const;
 * await startSupervisor(kernel, {
 *   strategy: "rest_for_one",
 *   children: [counters.child(), viaChild({ id: "visits", via: visits, start: [Counter] })],
 * });
 *
 * assert.equal(await callName(kernel, visits, "add", [2]), 2);
 * assert.deepEqual(counters.lookup(["lobby", "visits"]).map(({ value }) => value), ["since Monday"]);
 * ```
 *
 * @module
 */
import {
  assertPlainData,
  type Behaviour,
  type Incoming,
  type Kernel,
  type Pid,
  type Self,
  type SpawnOptions,
  type StartResult,
} from "@coppice/kernel";
import type { ChildSpec } from "./child-spec.ts";
import { RegistryFullError, UnknownRegistryError } from "./registry-errors.ts";
import { type KeyId, keyId } from "./registry-key.ts";
import { KeyLocks, type LockOptions } from "./registry-locks.ts";
import { type Entry, RegistryState } from "./registry-state.ts";
import { startTaskProcess, valueOf } from "./task-process.ts";

/** The most entries of a registry unless it says otherwise. A JavaScript `Map` ends at about 16.7 million. */
export const registryEntriesMaxDefault = 10_000_000;

/** How a registry is made. */
export interface RegistryOptions<M> {
  /** The local name of its process. */
  readonly name: string;
  /** Whether a key belongs to one process or to as many as ask for it. */
  readonly keys: "unique" | "duplicate";
  /**
   * Into how many groups `dispatch` divides the entries of a key, by their process. Default: 1. On one thread the table
   * itself is not divided, so nothing else depends on it.
   */
  readonly partitions?: number;
  /**
   * Processes that get a plain message {@link RegistryEvent} for every `register` and `unregister`. With listeners, keys
   * and values must be plain data. A listener that is not there, or whose mailbox is full, misses it.
   */
  readonly listeners?: readonly (Pid | string)[];
  /** The registry's own data at its start. */
  readonly meta?: Partial<M>;
  /** Default: {@link registryEntriesMaxDefault}. */
  readonly entriesMax?: number;
}

/** What a listener is told. The end of a process tells it nothing (D1.5): monitor the pid. */
export type RegistryEvent<K, V> =
  | {
      readonly type: "register";
      readonly registry: string;
      readonly key: K;
      readonly pid: Pid;
      readonly value: V;
    }
  | { readonly type: "unregister"; readonly registry: string; readonly key: K; readonly pid: Pid };

/** A process under a key, with the value it gave. */
export interface Registered<V> {
  readonly pid: Pid;
  readonly value: V;
}

/** A process, its key and its value. */
export interface RegistryEntry<K, V> extends Registered<V> {
  readonly key: K;
}

/** The outcome of registering; a key that is taken is expected, so it is a value. */
export type RegisterResult =
  | { readonly ok: true }
  /** Another live process holds the key, or this one already does. */
  | { readonly ok: false; readonly error: "already_registered"; readonly pid: Pid }
  /** The process that asks has ended. */
  | { readonly ok: false; readonly error: "not_alive" };

/** The outcome of changing a value. */
export type UpdateResult<V> =
  | { readonly ok: true; readonly value: V; readonly old: V }
  | { readonly ok: false; readonly error: "not_registered" };

/** A process that registers: its `Self` is one. */
export interface RegistryOwner {
  readonly pid: Pid;
  readonly kernel: Kernel;
}

/** One life of the registry's process. */
interface Life<K, V> {
  readonly pid: Pid;
  readonly state: RegistryState<K, V>;
  /** What stops watching each owner, by serial number. */
  readonly watched: Map<number, () => void>;
}

/**
 * A registry of one node. `K` is the type of its keys, compared as `registry-key.ts` says; `V` of the values, which may be
 * anything, are not copied, and stay on this node; `M` of its own data. While it does not run every method throws
 * `UnknownRegistryError`. A key must not be changed after it was registered.
 */
export class Registry<K, V = undefined, M extends object = Record<string, unknown>> {
  readonly kernel: Kernel;
  readonly name: string;
  readonly partitions: number;
  readonly #unique: boolean;
  readonly #listeners: readonly (Pid | string)[];
  readonly #initialMeta: Partial<M>;
  readonly #entriesMax: number;
  readonly #locks: KeyLocks;
  #life: Life<K, V> | undefined;
  #meta = new Map<keyof M, unknown>();

  /** @throws {RangeError} if an option is out of range. */
  constructor(kernel: Kernel, options: RegistryOptions<M>) {
    const { name, keys, partitions = 1, listeners = [], meta = {}, entriesMax } = options;
    if (typeof name !== "string" || name === "") throw new RangeError("a registry needs a name");
    if (keys !== "unique" && keys !== "duplicate")
      throw new RangeError(`keys must be unique or duplicate, not ${String(keys)}`);
    if (!Number.isInteger(partitions) || partitions < 1)
      throw new RangeError(`partitions must be a whole number, 1 or more, not ${partitions}`);
    this.kernel = kernel;
    this.name = name;
    this.partitions = partitions;
    this.#unique = keys === "unique";
    this.#listeners = listeners;
    this.#initialMeta = meta;
    this.#entriesMax = entriesMax ?? registryEntriesMaxDefault;
    this.#locks = new KeyLocks(kernel, name);
  }

  /** Starts the registry's process. */
  start(options: SpawnOptions = {}): Promise<StartResult> {
    const { name } = this;
    const how = { kind: "registry", ...options, name, trapExit: true };
    return this.kernel.start(this.#behaviour(), how);
  }

  /** The registry as a child of a supervisor on the same node. Start it before the processes that register. */
  child(spec: Partial<Pick<ChildSpec, "id" | "restart" | "shutdownMs">> = {}): ChildSpec {
    return {
      id: this.name,
      ...spec,
      start: async (options, { kernel }) => {
        if (kernel === this.kernel) return this.start(options);
        throw new TypeError(
          `registry ${this.name} was made for another node than this supervisor's`,
        );
      },
    };
  }

  /** Registers the process under a key. With duplicate keys also again. */
  register(self: RegistryOwner, key: K, value: V): RegisterResult {
    const life = this.#running();
    const { pid } = self;
    if (self.kernel !== this.kernel)
      throw new TypeError(`${pid} is a process of another node than registry ${this.name}`);
    if (this.#listeners.length > 0) assertPlainData(value, "value");
    const entry: Entry<K, V> = { key, id: keyId(key), pid, value };
    if (!this.kernel.isAlive(pid)) return { ok: false, error: "not_alive" };
    if (life.state.size >= this.#entriesMax)
      throw new RegistryFullError(this.name, this.#entriesMax);
    const holder = life.state.add(entry, (other) => this.kernel.isAlive(other));
    if (holder !== undefined) return { ok: false, error: "already_registered", pid: holder.pid };
    this.#watch(life, pid);
    this.#tell({ type: "register", registry: this.name, key, pid, value });
    return { ok: true };
  }

  /** Removes the process's own entries of a key. Entries of others stay. */
  unregister(self: RegistryOwner, key: K): void {
    this.unregisterMatch(self, key, () => true);
  }

  /** Removes those of the process's own entries of a key whose value fits. */
  unregisterMatch(self: RegistryOwner, key: K, fits: (value: V) => boolean): void {
    checkFunction(fits, "unregisterMatch");
    const life = this.#running();
    const { pid } = self;
    for (const entry of life.state.own(keyId(key), pid)) {
      if (!fits(entry.value)) continue;
      life.state.remove(entry);
      this.#tell({ type: "unregister", registry: this.name, key: entry.key, pid });
    }
    this.#unwatchIdle(life, pid);
  }

  /**
   * Changes the value of the process's own key.
   *
   * @throws {TypeError} with duplicate keys, where it would not be clear which value is meant.
   */
  updateValue(self: RegistryOwner, key: K, change: (value: V) => V): UpdateResult<V> {
    this.#needUnique("updateValue");
    const [entry] = this.#running().state.own(keyId(key), self.pid);
    if (entry === undefined) return { ok: false, error: "not_registered" };
    const old = entry.value;
    entry.value = change(old);
    return { ok: true, value: entry.value, old };
  }

  /** The processes under a key, oldest first. */
  lookup(key: K): Registered<V>[] {
    return this.#at(keyId(key)).map(registered);
  }

  /** The process under a unique key. @throws {TypeError} with duplicate keys. */
  whereis(key: K): Pid | undefined {
    this.#needUnique("whereis");
    const holder = this.#running().state.holder(keyId(key));
    return holder !== undefined && this.kernel.isAlive(holder.pid) ? holder.pid : undefined;
  }

  /** The keys a process holds, oldest first; a key it holds twice is there twice. */
  keys(pid: Pid): K[] {
    return [...this.#ownedBy(pid)].map(({ key }) => key);
  }

  /** The values a process gave under a key, oldest first. */
  values(key: K, pid: Pid): V[] {
    const { state } = this.#running();
    return this.kernel.isAlive(pid) ? state.own(keyId(key), pid).map(({ value }) => value) : [];
  }

  /** How many entries there are. */
  count(): number {
    return this.#running().state.size;
  }

  /** Those under a key that fit: OTP's match patterns and guards are one function here. */
  match<W extends V>(key: K, fits: (value: V, pid: Pid) => value is W): Registered<W>[];
  match(key: K, fits: (value: V, pid: Pid) => boolean): Registered<V>[];
  match(key: K, fits: (value: V, pid: Pid) => boolean): Registered<V>[] {
    checkFunction(fits, "match");
    return this.#at(keyId(key))
      .filter(({ value, pid }) => fits(value, pid))
      .map(registered);
  }

  /** How many under a key fit. */
  countMatch(key: K, fits: (value: V, pid: Pid) => boolean): number {
    return this.match(key, fits).length;
  }

  /** All entries, of every key, that fit. Looks at each: it takes as long as the registry is large. */
  select(fits: (entry: RegistryEntry<K, V>) => boolean = () => true): RegistryEntry<K, V>[] {
    checkFunction(fits, "select");
    const found: RegistryEntry<K, V>[] = [];
    for (const { key, pid, value } of this.#running().state.all())
      if (this.kernel.isAlive(pid) && fits({ key, pid, value })) found.push({ key, pid, value });
    return found;
  }

  /**
   * Hands the processes under a key to `run`, in the caller. Not called when there are none; with duplicate keys and
   * partitions called once for each partition that has some. What `run` throws is thrown.
   *
   * With `parallel` each of those calls runs in a process of its own, all at once, and the promise settles when all have
   * ended. On one thread that helps what awaits, not what computes.
   *
   * @throws {TaskExitedError} (the promise) if one of them crashed; `reason` says why.
   */
  dispatch(key: K, run: (entries: readonly Registered<V>[]) => void): void;
  dispatch(
    key: K,
    run: (entries: readonly Registered<V>[]) => void | Promise<void>,
    options: { readonly parallel: true },
  ): Promise<void>;
  dispatch(
    key: K,
    run: (entries: readonly Registered<V>[]) => void | Promise<void>,
    options?: { readonly parallel: true },
  ): void | Promise<void> {
    checkFunction(run, "dispatch");
    const groups = this.#partitioned(this.#at(keyId(key)));
    if (options?.parallel === true) return this.#dispatchParallel(groups, run);
    for (const group of groups) void run(group);
  }

  /** The registry's own data under a name. */
  meta<N extends keyof M>(name: N): M[N] | undefined {
    this.#running();
    return this.#meta.get(name) as M[N] | undefined;
  }

  /** Sets it. It is lost when the registry ends, except what the registry was made with. */
  putMeta<N extends keyof M>(name: N, value: M[N]): void {
    this.#running();
    this.#meta.set(name, value);
  }

  deleteMeta(name: keyof M): void {
    this.#running();
    this.#meta.delete(name);
  }

  /**
   * Runs a function while no other runs under the same key of this registry; the key need not be registered. The lock is
   * let go when the function returns or throws and, with `self`, when that process ends: the function itself may run on
   * then. It is not reentrant: a function that takes its own lock again waits for itself until the deadline.
   *
   * @throws {LockBusyError} if the lock is not free in time; the function did not run.
   * @throws {UnknownRegistryError} also if the registry ends while waiting.
   */
  async lock<T>(key: K, work: () => T | Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#running();
    return this.#locks.run(keyId(key), work, options);
  }

  #behaviour(): Behaviour {
    return {
      start: (self) => {
        this.#meta = new Map(Object.entries(this.#initialMeta) as [keyof M, unknown][]);
        this.#life = { pid: self.pid, state: new RegistryState(this.#unique), watched: new Map() };
      },
      handle: (message, self) => handle(this.name, message, self),
      ended: () => {
        for (const unwatch of this.#life?.watched.values() ?? []) unwatch();
        this.#life = undefined;
        this.#meta.clear();
        this.#locks.close();
      },
      describe: () => ({
        keys: this.#unique ? "unique" : "duplicate",
        entries: this.#life?.state.size ?? 0,
        owners: this.#life?.watched.size ?? 0,
        locks: this.#locks.size,
      }),
    };
  }

  #running(): Life<K, V> {
    // Between its end and `ended` the process is gone already.
    if (this.#life === undefined || !this.kernel.isAlive(this.#life.pid))
      throw new UnknownRegistryError(this.name);
    return this.#life;
  }

  #at(id: KeyId): Entry<K, V>[] {
    return [...this.#running().state.at(id)].filter(({ pid }) => this.kernel.isAlive(pid));
  }

  #ownedBy(pid: Pid): Iterable<Entry<K, V>> {
    const { state } = this.#running();
    return this.kernel.isAlive(pid) ? state.ownedBy(pid) : [];
  }

  /** The link ends the owner with the registry; watching ends its entries with the owner. */
  #watch(life: Life<K, V>, owner: Pid): void {
    if (life.watched.has(owner.serial)) return;
    this.kernel.link(owner, life.pid);
    const unwatch = this.kernel.monitor(owner, () => {
      life.watched.delete(owner.serial);
      for (const entry of life.state.ownedBy(owner)) life.state.remove(entry);
    });
    life.watched.set(owner.serial, unwatch);
  }

  #unwatchIdle(life: Life<K, V>, owner: Pid): void {
    if (life.state.hasOwner(owner)) return;
    life.watched.get(owner.serial)?.();
    if (life.watched.delete(owner.serial)) this.kernel.unlink(owner, life.pid);
  }

  #tell(event: RegistryEvent<K, V>): void {
    for (const listener of this.#listeners)
      if (typeof listener !== "string" || this.kernel.whereis(listener) !== undefined)
        this.kernel.send(listener, event); // It may be between two lives.
  }

  #partitioned(entries: readonly Entry<K, V>[]): Registered<V>[][] {
    const groups: Registered<V>[][] = [];
    for (const entry of entries)
      (groups[entry.pid.serial % this.partitions] ??= []).push(registered(entry));
    return groups.filter(() => true); // Without the holes of partitions that have none.
  }

  async #dispatchParallel(
    groups: readonly Registered<V>[][],
    run: (entries: readonly Registered<V>[]) => void | Promise<void>,
  ): Promise<void> {
    const tasks = groups.map((group) =>
      startTaskProcess(this.kernel, () => run(group), { label: `dispatch of ${this.name}` }),
    );
    const outcomes = await Promise.all(tasks.map(({ outcome }) => outcome));
    for (const [index, outcome] of outcomes.entries()) valueOf(outcome, tasks[index]!.pid);
  }

  #needUnique(what: string): void {
    if (this.#unique) return;
    throw new TypeError(`${what} needs unique keys, and registry ${this.name} has duplicate ones`);
  }
}

function registered<V>({ pid, value }: Registered<V>): Registered<V> {
  return { pid, value };
}

function checkFunction(given: unknown, method: string): void {
  if (typeof given !== "function") throw new TypeError(`${method} needs a function`);
}

function handle(name: string, message: Incoming, self: Self): void {
  // Exit signals of owners need nothing: watching them has removed their entries.
  if (message.type === "exit" && self.isParent(message.from)) self.exit(message.reason);
  if (message.type !== "call") return;
  const text = `registry ${name} has no function ${message.method}: it is read without calling it`;
  const failure = { code: "unknown_function", executed: "no", message: text } as const;
  message.reply({ ok: false, failure });
}
