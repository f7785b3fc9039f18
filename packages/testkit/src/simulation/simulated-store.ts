/**
 * The store of a simulation: one key-value store whose writes compare and set, and what it was like a while ago.
 *
 * Machines reach it through {@link SimulatedStoreView}. Its faults concern everybody: without a leader it makes no write, and
 * unavailable it answers nothing at all.
 *
 * @module
 */
import { type Change, ConflictError, type Entry } from "@coppice/net";
import type { SimulatedTime } from "./simulated-time.ts";
import type { Trace } from "./trace.ts";

/** `leaderless`: nothing is written, reads answer what was. `unavailable`: nothing is answered. */
export type StoreState = "healthy" | "leaderless" | "unavailable";

interface Version {
  readonly atMs: number;
  readonly entry: Entry | undefined;
}

/** How many earlier versions of a key can still be read. */
const versionsMax = 16;

export class SimulatedStore {
  readonly #time: SimulatedTime;
  readonly #trace: Trace;
  readonly #entries = new Map<string, Entry>();
  readonly #versions = new Map<string, Version[]>();
  readonly #watches = new Set<(change: Change, from: string) => void>();
  #revision = 0;
  state: StoreState = "healthy";

  constructor(time: SimulatedTime, trace: Trace) {
    this.#time = time;
    this.#trace = trace;
  }

  /** The key as it was so long ago, as far as that is known. */
  get(key: string, agoMs: number): Entry | undefined {
    if (agoMs === 0) return this.#entries.get(key);
    const thenMs = this.#time.nowMs - agoMs;
    return this.#versions.get(key)?.findLast(({ atMs }) => atMs <= thenMs)?.entry;
  }

  /** Everything there is, in the order of revisions. */
  entries(prefix: string): Entry[] {
    const all = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    return all.sort((a, b) => a.revision - b.revision);
  }

  /** Writes if the key's revision is this one; 0: if it does not exist. @throws {ConflictError} */
  put(key: string, value: Uint8Array, revision: number, from: string): number {
    this.#compare(key, revision, from);
    this.#revision += 1;
    const entry = { key, value: value.slice(), revision: this.#revision };
    this.#entries.set(key, entry);
    this.#changed(key, entry, from);
    this.#tell({ type: "put", ...entry }, from);
    return this.#revision;
  }

  /** @throws {ConflictError} */
  delete(key: string, revision: number, from: string): void {
    this.#compare(key, revision, from);
    this.#revision += 1;
    this.#entries.delete(key);
    this.#changed(key, undefined, from);
    this.#tell({ type: "delete", key, revision: this.#revision }, from);
  }

  /** Calls back with every write, and which machine made it. Returns what stops it. */
  watch(observer: (change: Change, from: string) => void): () => void {
    this.#watches.add(observer);
    return () => void this.#watches.delete(observer);
  }

  #compare(key: string, revision: number, from: string): void {
    if ((this.#entries.get(key)?.revision ?? 0) === revision) return;
    this.#trace.note("conflict", key, { from });
    throw new ConflictError(key);
  }

  #changed(key: string, entry: Entry | undefined, from: string): void {
    const { nowMs: atMs } = this.#time;
    const versions = this.#versions.get(key) ?? [];
    versions.push({ atMs, entry });
    if (versions.length > versionsMax) versions.shift();
    this.#versions.set(key, versions);
    if (entry === undefined) this.#trace.note("delete", key, { from });
    else this.#trace.note("write", key, { from, data: entry.value });
  }

  #tell(change: Change, from: string): void {
    for (const observer of this.#watches) observer(change, from);
  }
}
