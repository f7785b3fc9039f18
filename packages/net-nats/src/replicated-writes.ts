/**
 * Makes compare-and-set hold in a bucket that a group of servers keeps.
 *
 * Two properties of `nats-server` before 2.11 call for it, both read in its source and measured (ADR 8):
 *
 * - The leader compares with what it has applied, not with what is on its way: of two writes at once over the same revision
 *   both are accepted, and the later one stays. So a write counts only when another one, sent after it was accepted, has
 *   been accepted too, and it still stands: all that could have been compared with the same revision is applied by then.
 * - A write that expects no message at all is compared where it is applied, and a refused one counts as a gap that a
 *   server forgets when it is killed: from then on its sequence, our revision, differs from that of the others. So a key
 *   that was deleted is written over the mark of its deletion, and first writes take turns.
 *
 * @module
 */
import type { Clock } from "@coppice/kernel";
import { ConflictError } from "@coppice/net";
import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import type { KV, KvEntry } from "@nats-io/kv";
import { FirstWrites } from "./first-writes.ts";

/** A key that everybody writes and nobody reads. */
const barrierKey = "barrier";
/** See `first-writes.ts`. */
const turnKey = "first-write";

/** Whether a key is one of those with which writes are kept apart: nobody else is told of it. */
export function isInternalKey(key: string): boolean {
  return key === barrierKey || key === turnKey;
}

/** Deletes a key that is at that revision. */
export type DeleteKey = (key: string, revision: number) => Promise<unknown>;

/** The writes of a store. They throw `ConflictError`, or what the client throws. */
export interface KvWrites {
  create(key: string, value: Uint8Array): Promise<number>;
  update(key: string, value: Uint8Array, revision: number): Promise<number>;
  delete(key: string, revision: number): Promise<void>;
}

/** What NATS says of a write that expected another revision, in our terms. */
async function compared<T>(key: string, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (cause) {
    if (cause instanceof JetStreamApiError && isConflict(cause))
      throw new ConflictError(key, { cause });
    throw cause;
  }
}

function isConflict({ code }: JetStreamApiError): boolean {
  return (
    code === JetStreamApiCodes.StreamWrongLastSequence ||
    code === JetStreamApiCodes.StreamWrongLastSequenceUnknown
  );
}

/** For one server: it compares and writes in one step. */
export function plainWrites(kv: KV, deleteKey: DeleteKey): KvWrites {
  return {
    create: (key, value) => compared(key, kv.create(key, value)),
    update: (key, value, revision) => compared(key, kv.update(key, value, revision)),
    delete: async (key, revision) => void (await compared(key, deleteKey(key, revision))),
  };
}

/** For a group of servers. Each takes two requests more; a write to a key that was never there up to eight. */
export class ReplicatedWrites implements KvWrites {
  readonly #kv: KV;
  readonly #deleteKey: DeleteKey;
  readonly #barrier: Barrier;
  readonly #firstWrites: FirstWrites;

  constructor(kv: KV, deleteKey: DeleteKey, clock: Clock) {
    this.#kv = kv;
    this.#deleteKey = deleteKey;
    this.#barrier = new Barrier(() => kv.put(barrierKey, ""));
    const turn = {
      read: () => kv.get(turnKey),
      make: (value: string) => kv.put(turnKey, value),
      replace: (value: string, revision: number) => this.#put(turnKey, value, revision),
    };
    this.#firstWrites = new FirstWrites(turn, clock);
  }

  async create(key: string, value: Uint8Array): Promise<number> {
    const found = await this.#kv.get(key);
    if (found === null) return this.#firstWrites.run(() => this.#createOver(key, value));
    return this.#createOver(key, value, found);
  }

  update(key: string, value: Uint8Array, revision: number): Promise<number> {
    return this.#put(key, value, revision);
  }

  async delete(key: string, revision: number): Promise<void> {
    await compared(key, this.#deleteKey(key, revision));
    await this.#barrier.pass();
    const found = await this.#kv.get(key);
    if (found?.operation === "PUT") throw new ConflictError(key);
  }

  async #createOver(key: string, value: Uint8Array, known?: KvEntry): Promise<number> {
    const found = known ?? (await this.#kv.get(key));
    if (found?.operation === "PUT") throw new ConflictError(key);
    return this.#put(key, value, found?.revision ?? 0);
  }

  async #put(key: string, value: Uint8Array | string, previousSeq: number): Promise<number> {
    const revision = await compared(key, this.#kv.put(key, value, { previousSeq }));
    await this.#barrier.pass();
    const found = await this.#kv.get(key);
    if (found?.revision !== revision) throw new ConflictError(key);
    return revision;
  }
}

/** One write for all who wait at a time: it has to be sent after they came. */
class Barrier {
  readonly #write: () => Promise<unknown>;
  #current: Promise<unknown> | undefined;
  #next: Promise<unknown> | undefined;

  constructor(write: () => Promise<unknown>) {
    this.#write = write;
  }

  /** Resolves when a write that was sent later than now has been accepted. */
  async pass(): Promise<void> {
    if (this.#current === undefined) await this.#start();
    else await (this.#next ??= this.#current.then(this.#startNext, this.#startNext));
  }

  readonly #startNext = (): Promise<unknown> => {
    this.#next = undefined;
    return this.#start();
  };

  #start(): Promise<unknown> {
    const current = this.#write().finally(() => {
      if (this.#current === current) this.#current = undefined;
    });
    this.#current = current;
    return current;
  }
}
