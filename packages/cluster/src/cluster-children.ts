/**
 * The children a cluster supervisor is to have: in the store, so that they outlive every node, and in the memory of each.
 *
 * @module
 */
import {
  BadFrameError,
  type Change,
  ConflictError,
  decode,
  encode,
  escapeToken,
  type Store,
} from "@coppice/net";
import type { ClusterChild } from "./cluster-child.ts";
import { NameTooLongError } from "./errors.ts";

/** The longest key of a child. */
const keyLengthMax = 255;

interface Kept {
  readonly child: ClusterChild;
  readonly revision: number;
}

export class ClusterChildren {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #onChange: (before: ClusterChild | undefined, after: ClusterChild | undefined) => void;
  readonly #kept = new Map<string, Kept>();
  #stopWatch: (() => void) | undefined;

  constructor(options: {
    readonly store: Store;
    readonly supervisor: string;
    readonly onChange: (before: ClusterChild | undefined, after: ClusterChild | undefined) => void;
  }) {
    this.#store = options.store;
    this.#prefix = `child.${escapeToken(options.supervisor)}.`;
    this.#onChange = options.onChange;
  }

  /** Resolves when every child that is kept has been read. */
  async start(): Promise<void> {
    const watch = await this.#store.watch((change) => this.#changed(change), {
      prefix: this.#prefix,
    });
    this.#stopWatch = watch.stop;
  }

  stop(): void {
    this.#stopWatch?.();
  }

  get(id: string): ClusterChild | undefined {
    return this.#kept.get(id)?.child;
  }

  /** Sorted by id. */
  list(): ClusterChild[] {
    const all = [...this.#kept.values()].map(({ child }) => child);
    return all.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Returns false if there is one of that id. @throws {StoreUnavailableError} {NameTooLongError} */
  async add(child: ClusterChild): Promise<boolean> {
    const key = this.#keyOf(child.id);
    try {
      const revision = await this.#store.create(key, encode(child));
      this.#set(child.id, { child, revision });
      return true;
    } catch (thrown) {
      if (thrown instanceof ConflictError) return false;
      throw thrown;
    }
  }

  /** Returns false if there is none of that id, or somebody else changed it meanwhile. @throws {StoreUnavailableError} */
  async replace(child: ClusterChild): Promise<boolean> {
    const known = this.#kept.get(child.id);
    if (known === undefined) return false;
    try {
      const key = this.#keyOf(child.id);
      const revision = await this.#store.update(key, encode(child), known.revision);
      this.#set(child.id, { child, revision });
      return true;
    } catch (thrown) {
      if (thrown instanceof ConflictError) return false;
      throw thrown;
    }
  }

  /** Returns false if there is none of that id any more. @throws {StoreUnavailableError} */
  async remove(id: string): Promise<boolean> {
    for (let known = this.#kept.get(id); known !== undefined; known = this.#kept.get(id)) {
      try {
        await this.#store.delete(this.#keyOf(id), known.revision);
        this.#set(id, undefined);
        return true;
      } catch (thrown) {
        if (!(thrown instanceof ConflictError)) throw thrown;
        const now = await this.#store.get(this.#keyOf(id)); // Changed meanwhile.
        if (now === undefined) this.#set(id, undefined);
        else this.#set(id, { child: parse(decode(now.value)), revision: now.revision });
      }
    }
    return false;
  }

  #changed(change: Change): void {
    if (change.type === "delete") {
      for (const [id, { revision }] of this.#kept)
        if (this.#keyOf(id) === change.key && revision < change.revision) this.#set(id, undefined);
      return;
    }
    const child = parse(decode(change.value));
    const known = this.#kept.get(child.id);
    if (known === undefined || known.revision < change.revision)
      this.#set(child.id, { child, revision: change.revision });
  }

  #set(id: string, kept: Kept | undefined): void {
    const before = this.#kept.get(id);
    if (before === undefined && kept === undefined) return; // The watch was faster.
    if (kept === undefined) this.#kept.delete(id);
    else this.#kept.set(id, kept);
    this.#onChange(before?.child, kept?.child);
  }

  #keyOf(id: string): string {
    let key: string | undefined;
    try {
      key = `${this.#prefix}${escapeToken(id)}`;
    } catch (cause) {
      if (cause instanceof RangeError) throw new NameTooLongError(id, { cause });
      throw cause;
    }
    if (key.length > keyLengthMax) throw new NameTooLongError(id);
    return key;
  }
}

function parse(value: unknown): ClusterChild {
  const { id, kind } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== "string" || typeof kind !== "string")
    throw new BadFrameError("a child of a cluster supervisor is malformed");
  return value as ClusterChild;
}
