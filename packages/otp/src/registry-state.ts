/**
 * The table of a registry: who holds which key with what value. Pure: no process, no promise.
 *
 * Invariants:
 *   R1. With unique keys a key has at most one entry.
 *   R2. Every entry is found by its key and by its owner, or by neither.
 *
 * @module
 */
import type { Pid } from "@coppice/kernel";
import type { KeyId } from "./registry-key.ts";

/** One key held by one process. */
export interface Entry<K, V> {
  readonly key: K;
  readonly id: KeyId;
  readonly pid: Pid;
  value: V;
}

/** Entries by key and by owner. Owners are processes of one node, so their serial numbers tell them apart. */
export class RegistryState<K, V> {
  readonly #unique: boolean;
  /** Most keys have one entry, which needs no set. */
  readonly #byKey = new Map<KeyId, Entry<K, V> | Set<Entry<K, V>>>();
  readonly #byOwner = new Map<number, Set<Entry<K, V>>>();
  #size = 0;

  constructor(unique: boolean) {
    this.#unique = unique;
  }

  get size(): number {
    return this.#size;
  }

  get owners(): number {
    return this.#byOwner.size;
  }

  /** Adds an entry, or returns the one that stands in its way: another live process holds the unique key. */
  add(entry: Entry<K, V>, isAlive: (pid: Pid) => boolean): Entry<K, V> | undefined {
    if (this.#unique) {
      const holder = this.holder(entry.id);
      if (holder !== undefined && isAlive(holder.pid)) return holder;
      if (holder !== undefined) this.remove(holder);
    }
    const present = this.#byKey.get(entry.id);
    if (present === undefined) this.#byKey.set(entry.id, entry);
    else if (present instanceof Set) present.add(entry);
    else this.#byKey.set(entry.id, new Set([present, entry]));
    const owned = this.#byOwner.get(entry.pid.serial);
    if (owned === undefined) this.#byOwner.set(entry.pid.serial, new Set([entry]));
    else owned.add(entry);
    this.#size += 1;
    return undefined;
  }

  /** Removes an entry that is in the table. */
  remove(entry: Entry<K, V>): void {
    const present = this.#byKey.get(entry.id);
    if (present instanceof Set) present.delete(entry);
    if (!(present instanceof Set) || present.size === 0) this.#byKey.delete(entry.id);
    const owned = this.#byOwner.get(entry.pid.serial);
    owned?.delete(entry);
    if (owned?.size === 0) this.#byOwner.delete(entry.pid.serial);
    this.#size -= 1;
  }

  /** The entry of a unique key. */
  holder(id: KeyId): Entry<K, V> | undefined {
    const present = this.#byKey.get(id);
    return present instanceof Set ? undefined : present;
  }

  /** The entries of a key, oldest first. */
  at(id: KeyId): Iterable<Entry<K, V>> {
    const present = this.#byKey.get(id);
    if (present === undefined) return [];
    return present instanceof Set ? present : [present];
  }

  /** The entries of a process, oldest first. */
  ownedBy(pid: Pid): Iterable<Entry<K, V>> {
    return this.#byOwner.get(pid.serial) ?? [];
  }

  hasOwner(pid: Pid): boolean {
    return this.#byOwner.has(pid.serial);
  }

  /** The entries of a key that a process owns: found on the shorter of the two ways. */
  own(id: KeyId, pid: Pid): Entry<K, V>[] {
    const owned = this.#byOwner.get(pid.serial);
    if (owned === undefined) return [];
    const present = this.#byKey.get(id);
    const isLonger = present instanceof Set && present.size > owned.size;
    const candidates = isLonger ? owned : this.at(id);
    return [...candidates].filter((entry) => entry.id === id && entry.pid.serial === pid.serial);
  }

  /** Every entry, by key. */
  *all(): Iterable<Entry<K, V>> {
    for (const present of this.#byKey.values())
      if (present instanceof Set) yield* present;
      else yield present;
  }
}
