/**
 * The storage seam: a key-value store whose writes compare and set, as JetStream KV does.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** A key's current value. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Grows with every write to the store, also over a delete: later writes have larger revisions. */
  readonly revision: number;
}

/** A write, as a watcher sees it. */
export type Change =
  | {
      readonly type: "put";
      readonly key: string;
      readonly value: Uint8Array;
      readonly revision: number;
    }
  | { readonly type: "delete"; readonly key: string; readonly revision: number };

/**
 * A store. Keys are 1 to 255 characters of `A-Z a-z 0-9 _ = . -`; another key is a `TypeError`. A write that fails
 * with {@link StoreUnavailableError} may or may not have been made.
 */
export interface Store {
  get(key: string): Promise<Entry | undefined>;
  /** Writes a key that does not exist and returns its revision. @throws {ConflictError} if it exists. */
  create(key: string, value: Uint8Array): Promise<number>;
  /** Writes if `revision` is the key's current one. @throws {ConflictError} if it is not. */
  update(key: string, value: Uint8Array, revision: number): Promise<number>;
  /** Deletes if `revision` is the key's current one. @throws {ConflictError} if it is not. */
  delete(key: string, revision: number): Promise<void>;
  /**
   * Calls `onChange` for every current entry, then for every later write, in the order of revisions. Resolves when the
   * current entries have been delivered. `prefix`: only keys that start with it (it ends in a dot).
   */
  watch(
    onChange: (change: Change) => void,
    options?: { readonly prefix?: string },
  ): Promise<{ readonly stop: () => void }>;
  close(): Promise<void>;
}

/** The key is not at the revision the writer believed: somebody else wrote. */
export class ConflictError extends CoppiceError {
  static {
    this.prototype.name = "ConflictError";
  }
  readonly code = "conflict";
  readonly key: string;

  constructor(key: string, options?: ErrorOptions) {
    super(`the key ${key} was changed by somebody else: read it again`, options);
    this.key = key;
  }
}

/** The store did not answer; a write may or may not have been made. */
export class StoreUnavailableError extends CoppiceError {
  static {
    this.prototype.name = "StoreUnavailableError";
  }
  readonly code = "store_unavailable";
  readonly operation: string;

  constructor(operation: string, options?: ErrorOptions) {
    super(
      `the store did not answer to ${operation}: check that JetStream is up, and retry`,
      options,
    );
    this.operation = operation;
  }
}

/** The longest key, in characters. */
export const keyLengthMax = 255;

/** @throws {TypeError} for a key that not every store can hold. */
export function assertKey(key: string): void {
  const valid = /^[A-Za-z0-9_=-]+(?:\.[A-Za-z0-9_=-]+)*$/;
  if (key.length > keyLengthMax || !valid.test(key))
    throw new TypeError(
      `${JSON.stringify(key)} is not a key: use 1 to ${keyLengthMax} of A-Z a-z 0-9 _ = - and single dots`,
    );
}
