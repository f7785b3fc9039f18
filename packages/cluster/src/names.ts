/**
 * The names of a cluster: who owns which, read from a cache the store keeps fresh, changed by compare-and-set.
 *
 * Invariants:
 *   N1. A name has one entry; whoever wrote it last owns it. The revision of that write is the epoch of the name.
 *   N2. An entry of another node is overwritten only when the session of that life of the node is over.
 *
 * @module
 */
import type { NodeAddress, Pid } from "@coppice/kernel";
import { type Change, ConflictError, decode, encode, escapeToken, type Store } from "@coppice/net";

const prefix = "name.";

/** Who owns a name. */
export interface NameEntry {
  readonly name: string;
  readonly owner: NodeAddress;
  /** Nothing while the owner starts the process. */
  readonly pid: Pid | undefined;
  /** The fencing token: grows with every change of hands and every restart. */
  readonly epoch: number;
}

export class Names {
  readonly #self: NodeAddress;
  readonly #store: Store;
  readonly #isAlive: (address: NodeAddress) => boolean;
  /** By key. */
  readonly #entries = new Map<string, NameEntry>();
  /** The last revision seen, by key: a late watch must not undo a newer write. */
  readonly #revisions = new Map<string, number>();
  readonly #observers = new Set<(name: string) => void>();
  /** Who runs the process of a name here. */
  readonly #holders = new Map<string, object>();
  readonly #releases = new Set<Promise<void>>();
  #stopWatch: (() => void) | undefined;

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

  /** Waits for names that are being given up. */
  async stop(): Promise<void> {
    this.#observers.clear();
    await Promise.allSettled(this.#releases);
    this.#stopWatch?.();
  }

  /** Makes `holder` the one that runs the name here. False: another one does. */
  hold(name: string, holder: object): boolean {
    const current = this.#holders.get(name);
    if (current !== undefined && current !== holder) return false;
    this.#holders.set(name, holder);
    return true;
  }

  letGo(name: string, holder: object): void {
    if (this.#holders.get(name) === holder) this.#holders.delete(name);
  }

  isHeld(name: string): boolean {
    return this.#holders.has(name);
  }

  get(name: string): NameEntry | undefined {
    return this.#entries.get(keyOf(name));
  }

  /** All names, sorted. */
  list(): NameEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  isOurs(name: string): boolean {
    const owner = this.get(name)?.owner;
    return owner?.node === this.#self.node && owner.incarnation === this.#self.incarnation;
  }

  /** Tells of every change; with a name, of one of its entry; with an empty one, of a session. Returns what stops it. */
  observe(observer: (name: string) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** A session began or ended. */
  sessionsChanged(): void {
    for (const observer of this.#observers) observer("");
  }

  /** Takes the name if nobody alive owns it. Returns whether this node owns it now. */
  async claim(name: string): Promise<boolean> {
    const entry = this.get(name);
    if (entry !== undefined && !this.isOurs(name) && this.#isAlive(entry.owner)) return false;
    return this.#write(name, undefined);
  }

  /** Says which process answers to a name this node owns. Returns false if it does not own it any more. */
  publish(name: string, pid: Pid): Promise<boolean> {
    return this.isOurs(name) ? this.#write(name, pid) : Promise.resolve(false);
  }

  /** Gives a name up. Does nothing if this node does not own it. */
  release(name: string): Promise<void> {
    const release = this.#release(name);
    this.#releases.add(release);
    return release.finally(() => this.#releases.delete(release));
  }

  async #release(name: string): Promise<void> {
    const entry = this.get(name);
    if (entry === undefined || !this.isOurs(name)) return;
    try {
      await this.#store.delete(keyOf(name), entry.epoch);
      this.#apply(keyOf(name), undefined, entry.epoch + 1);
    } catch (thrown) {
      if (!(thrown instanceof ConflictError)) throw thrown; // Somebody else owns it already.
    }
  }

  async #write(name: string, pid: Pid | undefined): Promise<boolean> {
    const key = keyOf(name);
    const value = encode({ name, owner: this.#self, pid });
    const known = this.#entries.get(key);
    try {
      const epoch =
        known === undefined
          ? await this.#store.create(key, value)
          : await this.#store.update(key, value, known.epoch);
      this.#apply(key, { name, owner: this.#self, pid, epoch }, epoch);
      return true;
    } catch (thrown) {
      if (thrown instanceof ConflictError) return false; // Somebody was faster: the watch tells who.
      throw thrown;
    }
  }

  #changed(change: Change): void {
    if (change.type === "delete") return this.#apply(change.key, undefined, change.revision);
    const { name, owner, pid } = decode(change.value) as Omit<NameEntry, "epoch">;
    const epoch = change.revision;
    this.#apply(change.key, { name, owner, pid, epoch }, epoch);
  }

  #apply(key: string, entry: NameEntry | undefined, revision: number): void {
    if (revision <= (this.#revisions.get(key) ?? 0)) return;
    this.#revisions.set(key, revision);
    const name = entry?.name ?? this.#entries.get(key)?.name;
    if (entry === undefined) this.#entries.delete(key);
    else this.#entries.set(key, entry);
    if (name !== undefined) for (const observer of this.#observers) observer(name);
  }
}

function keyOf(name: string): string {
  return `${prefix}${escapeToken(name)}`;
}
