/**
 * One node's view of a shared store, which can be cut off: writes and reads fail, and changes wait until it is back.
 *
 * @module
 */
import { type Change, type Entry, type Store, StoreUnavailableError } from "@coppice/net";

export class CuttableStore implements Store {
  readonly #store: Store;
  readonly #missed: (() => void)[] = [];
  #isCut = false;

  constructor(store: Store) {
    this.#store = store;
  }

  cut(): void {
    this.#isCut = true;
  }

  reconnect(): void {
    this.#isCut = false;
    for (const deliver of this.#missed.splice(0)) deliver();
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#reach(`get ${key}`, () => this.#store.get(key));
  }

  create(key: string, value: Uint8Array): Promise<number> {
    return this.#reach(`create ${key}`, () => this.#store.create(key, value));
  }

  update(key: string, value: Uint8Array, revision: number): Promise<number> {
    return this.#reach(`update ${key}`, () => this.#store.update(key, value, revision));
  }

  delete(key: string, revision: number): Promise<void> {
    return this.#reach(`delete ${key}`, () => this.#store.delete(key, revision));
  }

  watch(
    onChange: (change: Change) => void,
    options?: { readonly prefix?: string },
  ): Promise<{ readonly stop: () => void }> {
    const whenReachable = (change: Change): void => {
      if (this.#isCut) this.#missed.push(() => onChange(change));
      else onChange(change);
    };
    return this.#store.watch(whenReachable, options);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #reach<T>(operation: string, run: () => Promise<T>): Promise<T> {
    if (this.#isCut) throw new StoreUnavailableError(operation);
    return run();
  }
}
