/**
 * A store within one thread: the embedded default, and what many nodes share in a test.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";
import { assertKey, type Change, ConflictError, type Entry, type Store } from "./store.ts";

interface Watch {
  readonly prefix: string;
  readonly onChange: (change: Change) => void;
}

/** All of it lives in memory; closing it stops its watches only. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #watches = new Set<Watch>();
  #revision = 0;

  constructor(options: { readonly clock: Clock }) {
    this.#clock = options.clock;
  }

  async get(key: string): Promise<Entry | undefined> {
    assertKey(key);
    return this.#entries.get(key);
  }

  async create(key: string, value: Uint8Array): Promise<number> {
    assertKey(key);
    if (this.#entries.has(key)) throw new ConflictError(key);
    return this.#put(key, value);
  }

  async update(key: string, value: Uint8Array, revision: number): Promise<number> {
    assertKey(key);
    if (this.#entries.get(key)?.revision !== revision) throw new ConflictError(key);
    return this.#put(key, value);
  }

  async delete(key: string, revision: number): Promise<void> {
    assertKey(key);
    if (this.#entries.get(key)?.revision !== revision) throw new ConflictError(key);
    this.#revision += 1;
    this.#entries.delete(key);
    this.#tell({ type: "delete", key, revision: this.#revision });
  }

  async watch(
    onChange: (change: Change) => void,
    options: { readonly prefix?: string } = {},
  ): Promise<{ readonly stop: () => void }> {
    const watch: Watch = { onChange, prefix: options.prefix ?? "" };
    const current = [...this.#entries.values()]
      .filter(({ key }) => key.startsWith(watch.prefix))
      .sort((a, b) => a.revision - b.revision);
    for (const entry of current) onChange({ type: "put", ...entry });
    this.#watches.add(watch);
    return { stop: () => void this.#watches.delete(watch) };
  }

  async close(): Promise<void> {
    this.#watches.clear();
  }

  #put(key: string, value: Uint8Array): number {
    this.#revision += 1;
    const entry = { key, value: value.slice(), revision: this.#revision };
    this.#entries.set(key, entry);
    this.#tell({ type: "put", ...entry });
    return this.#revision;
  }

  #tell(change: Change): void {
    for (const watch of this.#watches) {
      if (!change.key.startsWith(watch.prefix)) continue;
      this.#clock.soon(() => {
        if (this.#watches.has(watch)) watch.onChange(change);
      });
    }
  }
}
