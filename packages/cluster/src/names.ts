/**
 * The names of a cluster: who owns which, read from a cache the store keeps fresh, changed by compare-and-set.
 *
 * Invariants:
 *   N1. A name has one entry; whoever wrote it last owns it. The revision of that write is the epoch of the name.
 *   N2. An entry of another node is overwritten only when the session of that life of the node is over, or by that node
 *       itself, which hands it over. While sessions are known only up to a time before the entry was written, its owner
 *       counts as alive: the session it was written under may not have been heard of yet.
 *
 * @module
 */
import { type NodeAddress, Pid } from "@coppice/kernel";
import {
  BadFrameError,
  type Change,
  ConflictError,
  decode,
  encode,
  escapeToken,
  type Store,
  unescapeToken,
} from "@coppice/net";
import { revisionsOfDeleted } from "./deleted-revisions.ts";
import { NameTooLongError } from "./errors.ts";

const prefix = "name.";

/** Who owns a name. */
export interface NameEntry {
  readonly name: string;
  readonly owner: NodeAddress;
  /** Nothing while the owner starts the process. */
  readonly pid: Pid | undefined;
  /** The fencing token: grows with every change of hands and every restart. */
  readonly epoch: number;
  /** The epoch of the owner that handed the name to this one, if it did. */
  readonly handedOverAt?: number;
}

export class Names {
  readonly #self: NodeAddress;
  readonly #store: Store;
  readonly #isAlive: (address: NodeAddress) => boolean;
  readonly #entries = new Map<string, NameEntry>();
  readonly #deleted = revisionsOfDeleted();
  /** The names of each life of a node. */
  readonly #owned = new Map<string, Set<string>>();
  /** Names that were written after the last change of a session that is known here. */
  readonly #undecided = new Set<string>();
  #sessionsSeen = 0;
  readonly #observers = new Map<string, Set<() => void>>();
  readonly #allObservers = new Set<(name: string) => void>();
  /** Who runs the process of a name here. */
  readonly #holders = new Map<string, object>();
  /** Who held a name last, also when it has let go of it. */
  readonly #lastHolders = new Map<string, object>();
  readonly #releases = new Set<Promise<void>>();
  #stopWatch: (() => void) | undefined;
  #isStopped = false;

  constructor(options: {
    readonly self: NodeAddress;
    readonly store: Store;
    readonly isAlive: (address: NodeAddress) => boolean;
  }) {
    this.#self = options.self;
    this.#store = options.store;
    this.#isAlive = options.isAlive;
  }

  async start(): Promise<void> {
    const watch = await this.#store.watch((change) => this.#changed(change), { prefix });
    this.#stopWatch = watch.stop;
  }

  /** Waits for names that are being given up. Nothing is given up later: it ends with the session. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#observers.clear();
    this.#allObservers.clear();
    await Promise.allSettled(this.#releases);
    this.#stopWatch?.();
  }

  /** Makes `holder` the one that runs the name here. False: another one does. */
  hold(name: string, holder: object): boolean {
    const current = this.#holders.get(name);
    if (current !== undefined && current !== holder) return false;
    this.#holders.set(name, holder);
    this.#lastHolders.set(name, holder);
    return true;
  }

  letGo(name: string, holder: object): void {
    if (this.#holders.get(name) === holder) this.#holders.delete(name);
  }

  isHeld(name: string): boolean {
    return this.#holders.has(name);
  }

  /** Whether nobody has held the name since this holder: asked once, by a holder that has let go of it. */
  isAbandoned(name: string, holder: object): boolean {
    if (this.#lastHolders.get(name) !== holder) return false;
    return this.#holders.get(name) === undefined && this.#lastHolders.delete(name);
  }

  /** From memory: no network. */
  get(name: string): NameEntry | undefined {
    return this.#entries.get(name);
  }

  /** All names, sorted. */
  list(): NameEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The names this node owns. */
  *owned(): Generator<NameEntry> {
    for (const name of this.#owned.get(keyOfOwner(this.#self)) ?? [])
      yield this.#entries.get(name)!;
  }

  /** How many names this node owns. */
  get ownCount(): number {
    return this.#owned.get(keyOfOwner(this.#self))?.size ?? 0;
  }

  isOurs(name: string): boolean {
    const owner = this.get(name)?.owner;
    return owner !== undefined && isSameLife(owner, this.#self);
  }

  /** Whether somebody who is alive owns the name, or may be. */
  isOwned(name: string): boolean {
    const entry = this.get(name);
    if (entry === undefined) return false;
    return entry.epoch > this.#sessionsSeen || this.#isAlive(entry.owner);
  }

  /** Every change of a session up to this revision of the store is known. */
  sessionsSeen(revision: number): void {
    this.#sessionsSeen = Math.max(this.#sessionsSeen, revision);
    for (const name of this.#undecided) {
      const entry = this.#entries.get(name);
      if (entry !== undefined && entry.epoch > this.#sessionsSeen) continue;
      this.#undecided.delete(name);
      if (entry !== undefined && !this.#isAlive(entry.owner)) this.#tell(name);
    }
  }

  /** Tells of every change of a name's entry, and of the end of its owner's session. Returns what stops it. */
  observe(name: string, observer: () => void): () => void {
    const observers = this.#observers.get(name) ?? new Set();
    this.#observers.set(name, observers.add(observer));
    return () => {
      observers.delete(observer);
      if (observers.size === 0 && this.#observers.get(name) === observers)
        this.#observers.delete(name);
    };
  }

  /** As {@link observe}, of every name. */
  observeAll(observer: (name: string) => void): () => void {
    this.#allObservers.add(observer);
    return () => this.#allObservers.delete(observer);
  }

  /** The session of a life of a node is over: its names can be taken. */
  sessionEnded(address: NodeAddress): void {
    for (const name of this.#owned.get(keyOfOwner(address)) ?? []) this.#tell(name);
  }

  /** Takes the name if nobody alive owns it. Returns whether this node owns it now. @throws {NameTooLongError} */
  async claim(name: string): Promise<boolean> {
    if (!this.isOurs(name) && this.isOwned(name)) return false;
    return this.#write(name, this.#self, {});
  }

  /** Says which process answers to a name this node owns. Returns false if it does not own it any more. */
  publish(name: string, pid: Pid): Promise<boolean> {
    return this.isOurs(name) ? this.#write(name, this.#self, { pid }) : Promise.resolve(false);
  }

  /** Makes another node the owner of a name this node owns. Returns false if it does not own it any more. */
  handOver(name: string, to: NodeAddress): Promise<boolean> {
    const handedOverAt = this.get(name)?.epoch;
    return this.isOurs(name) ? this.#write(name, to, { handedOverAt }) : Promise.resolve(false);
  }

  /** Makes a process of any node answer to a name this node owns, and its node the owner. False as {@link handOver}. */
  pass(name: string, pid: Pid): Promise<boolean> {
    const { node, incarnation } = pid;
    return this.isOurs(name)
      ? this.#write(name, { node, incarnation }, { pid })
      : Promise.resolve(false);
  }

  /** Gives a name up. Does nothing if this node does not own it. */
  release(name: string): Promise<void> {
    const release = this.#delete(name, () => this.isOurs(name));
    this.#releases.add(release);
    return release.finally(() => this.#releases.delete(release));
  }

  /** Removes the entry of a name whose owner is dead, and that nobody is to run again. */
  removeDead(name: string): Promise<void> {
    return this.#delete(name, () => !this.isOwned(name));
  }

  async #delete(name: string, mayDelete: () => boolean): Promise<void> {
    const entry = this.get(name);
    if (entry === undefined || this.#isStopped || !mayDelete()) return;
    try {
      await this.#store.delete(keyOf(name), entry.epoch);
      this.#apply(name, undefined, entry.epoch + 1);
    } catch (thrown) {
      if (!(thrown instanceof ConflictError)) throw thrown;
      await this.#reread(name, entry); // Somebody else owns it already, and the watch is late to tell.
    }
  }

  async #write(
    name: string,
    owner: NodeAddress,
    more: { readonly pid?: Pid; readonly handedOverAt?: number | undefined },
  ): Promise<boolean> {
    const key = keyOf(name);
    const value = encode({ name, owner, ...more });
    const known = this.#entries.get(name);
    try {
      const epoch =
        known === undefined
          ? await this.#store.create(key, value)
          : await this.#store.update(key, value, known.epoch);
      this.#apply(name, { name, owner, pid: more.pid, epoch }, epoch);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof ConflictError)) throw thrown;
      await this.#reread(name, known); // Somebody was faster, or the store has lost what is known here.
      return false;
    }
  }

  /** Takes what the store has in place of what is known: a write that it accepted and lost is never told of by the watch. */
  async #reread(name: string, known: NameEntry | undefined): Promise<void> {
    const found = await this.#store.get(keyOf(name));
    if (this.#entries.get(name) !== known) return; // News came meanwhile.
    const isLost = known !== undefined && (found === undefined || found.revision < known.epoch);
    if (isLost) {
      this.#disown(known);
      this.#entries.delete(name);
    }
    if (found !== undefined)
      this.#apply(name, parseEntry(decode(found.value), found.revision), found.revision);
    else if (isLost) this.#tell(name);
  }

  #changed(change: Change): void {
    const { key, revision } = change;
    if (change.type === "delete") {
      const name = nameOf(key);
      if (name !== undefined) this.#apply(name, undefined, revision);
    } else {
      const entry = parseEntry(decode(change.value), revision);
      this.#apply(entry.name, entry, revision);
    }
    this.#deleted.watched(revision);
  }

  /** A late watch must not undo a newer write. */
  #apply(name: string, entry: NameEntry | undefined, revision: number): void {
    const known = this.#entries.get(name);
    if (revision <= (known?.epoch ?? this.#deleted.get(name))) return;
    if (known !== undefined) this.#disown(known);
    if (entry === undefined) {
      this.#entries.delete(name);
      this.#deleted.set(name, revision);
    } else {
      this.#entries.set(name, entry);
      if (entry.epoch > this.#sessionsSeen) this.#undecided.add(name);
      const key = keyOfOwner(entry.owner);
      this.#owned.set(key, (this.#owned.get(key) ?? new Set()).add(name));
    }
    this.#tell(name);
  }

  #disown({ name, owner }: NameEntry): void {
    const key = keyOfOwner(owner);
    const names = this.#owned.get(key);
    names?.delete(name);
    if (names?.size === 0) this.#owned.delete(key);
  }

  #tell(name: string): void {
    for (const observer of this.#observers.get(name) ?? []) observer();
    for (const observer of this.#allObservers) observer(name);
  }
}

/** Whether two addresses name one life of one node. */
export function isSameLife(a: NodeAddress, b: NodeAddress): boolean {
  return a.node === b.node && a.incarnation === b.incarnation;
}

function keyOfOwner({ node, incarnation }: NodeAddress): string {
  return `${node} ${incarnation}`;
}

function parseEntry(value: unknown, epoch: number): NameEntry {
  const { name, owner, pid, handedOverAt } = (value ?? {}) as Record<string, unknown>;
  const { node, incarnation } = (owner ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || typeof node !== "string" || typeof incarnation !== "string")
    throw new BadFrameError("the entry of a name is malformed");
  return {
    name,
    owner: { node, incarnation },
    pid: pid instanceof Pid ? pid : undefined,
    epoch,
    ...(typeof handedOverAt === "number" ? { handedOverAt } : {}),
  };
}

function nameOf(key: string): string | undefined {
  return unescapeToken(key.slice(prefix.length));
}

/**
 * @throws {NameTooLongError} for a name that no key and no subject can hold.
 * @throws {RangeError} for half a surrogate pair, which has no bytes of its own.
 */
function keyOf(name: string): string {
  if (!name.isWellFormed())
    throw new RangeError(`the name ${JSON.stringify(name)} is not well-formed text`);
  try {
    return `${prefix}${escapeToken(name)}`;
  } catch (cause) {
    if (cause instanceof RangeError) throw new NameTooLongError(name, { cause });
    throw cause;
  }
}
