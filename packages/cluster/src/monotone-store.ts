/**
 * A store that is refused when its revisions go back: it lost writes it had acknowledged, so it would give out epochs anew.
 *
 * Found out by what a write returns, by what a watch tells, and, where a key is not at the revision it was left at, by a
 * write that is made to see. From then on every write fails as if the store did not answer: the lease runs out, and nothing is
 * owned. It ends when the store is ahead of everything that was seen of it.
 *
 * @module
 */
import type { Logger } from "@coppice/kernel";
import {
  type Change,
  ConflictError,
  type Entry,
  type Store,
  StoreUnavailableError,
} from "@coppice/net";
import { RegistryRegressedError } from "./errors.ts";

export class MonotoneStore implements Store {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #probeKey: string;
  #highest: number;
  #regressed: RegistryRegressedError | undefined;

  constructor(options: {
    readonly store: Store;
    readonly logger: Logger;
    /** A key that nobody else writes. */
    readonly probeKey: string;
    /** The highest revision that was seen before. */
    readonly revision: number;
  }) {
    this.#store = options.store;
    this.#logger = options.logger;
    this.#probeKey = options.probeKey;
    this.#highest = options.revision;
  }

  /** The highest revision that was seen. */
  get revision(): number {
    return this.#highest;
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#store.get(key);
  }

  create(key: string, value: Uint8Array): Promise<number> {
    return this.#write(`create ${key}`, () => this.#store.create(key, value));
  }

  update(key: string, value: Uint8Array, revision: number): Promise<number> {
    return this.#write(
      `update ${key}`,
      () => this.#store.update(key, value, revision),
      () => this.#check(key, revision),
    );
  }

  async delete(key: string, revision: number): Promise<void> {
    this.#assertMonotone(`delete ${key}`);
    await this.#store.delete(key, revision);
  }

  watch(
    onChange: (change: Change) => void,
    options?: { readonly prefix?: string },
  ): Promise<{ readonly stop: () => void }> {
    let last = 0;
    const checked = (change: Change): void => {
      if (change.revision < last) this.#regress(change.revision, last);
      last = change.revision;
      this.#saw(change.revision);
      onChange(change);
    };
    return this.#store.watch(checked, options);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #write(
    operation: string,
    write: () => Promise<number>,
    onConflict?: () => Promise<void>,
  ): Promise<number> {
    this.#assertMonotone(operation);
    const before = this.#highest;
    let revision: number;
    try {
      revision = await write();
    } catch (thrown) {
      if (!(thrown instanceof ConflictError)) throw thrown;
      await onConflict?.();
      this.#assertMonotone(operation);
      throw thrown;
    }
    if (revision <= before) this.#regress(revision, before);
    this.#assertMonotone(operation);
    this.#saw(revision);
    return revision;
  }

  /** A key is not at the revision at which it was seen: because somebody wrote, or because the store forgot. */
  async #check(key: string, revision: number): Promise<void> {
    const entry = await this.#store.get(key);
    if (entry !== undefined && entry.revision >= revision) return;
    // A read may be behind, of a group of servers above all: only a write shows where the store is.
    const before = this.#highest;
    const probed = await this.#probe();
    if (probed === undefined) return; // The one that was there before tells at the next time.
    if (probed <= before) this.#regress(probed, before);
    else this.#saw(probed);
  }

  /** The revision of a write that nobody else makes. */
  async #probe(): Promise<number | undefined> {
    const left = await this.#store.get(this.#probeKey);
    try {
      if (left !== undefined)
        return await this.#store.update(this.#probeKey, left.value, left.revision);
      const revision = await this.#store.create(this.#probeKey, new Uint8Array());
      await this.#store.delete(this.#probeKey, revision);
      return revision;
    } catch (thrown) {
      if (thrown instanceof ConflictError) return undefined; // Two at once.
      throw thrown;
    }
  }

  #saw(revision: number): void {
    if (revision <= this.#highest) return;
    this.#highest = revision;
    if (this.#regressed === undefined) return;
    this.#regressed = undefined;
    const fields = { event: "registry_recovered", revision };
    this.#logger.warn(
      fields,
      `the store is ahead of what this node had seen of it: it is used again`,
    );
  }

  #regress(found: number, seen: number): void {
    if (this.#regressed !== undefined) return;
    const error = new RegistryRegressedError(found, seen);
    this.#regressed = error;
    this.#logger.error({ event: error.code, found, seen }, error.message);
  }

  #assertMonotone(operation: string): void {
    if (this.#regressed !== undefined)
      throw new StoreUnavailableError(operation, { cause: this.#regressed });
  }
}
