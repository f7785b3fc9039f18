/**
 * A store on a JetStream key-value bucket: the revision is the sequence of its stream, so it only grows.
 *
 * Reads go to the stream's leader. Watching is in `kv-watch.ts`.
 *
 * @module
 */
import {
  assertKey,
  type Change,
  ConflictError,
  type Entry,
  type Store,
  StoreUnavailableError,
} from "@coppice/net";
import type { Clock } from "@coppice/kernel";
import type { JetStreamClient, JsMsg } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { headers } from "@nats-io/transport-node";
import { assertOwn, bucketFailure, storeDescription } from "./buckets.ts";
import { openKvWatch } from "./kv-watch.ts";
import {
  type DeleteKey,
  isInternalKey,
  type KvWrites,
  plainWrites,
  ReplicatedWrites,
} from "./replicated-writes.ts";
import type { Regression } from "./regression.ts";
import { assertDeletion, openValue, sealDeletion, sealValue } from "./sealed-value.ts";

/** Says in JetStream's buckets that a key was deleted. */
const operationHeader = "KV-Operation";

/** How a bucket is made. */
export interface StoreOptions {
  /** How many servers of a NATS cluster keep it: 1, 3 or 5. Only when it is made. Default: 1. */
  readonly replicas?: number;
}

/**
 * Opens the bucket, and makes it if there is none. `report` gets what a watcher throws.
 *
 * @throws {ForeignBucketError} if it was made by somebody else.
 */
export async function openKvStore(
  jetstream: JetStreamClient,
  bucket: string,
  options: StoreOptions & {
    readonly clock: Clock;
    readonly report: (thrown: unknown) => void;
    /** Is told of every write that is seen. */
    readonly regression: Regression;
  },
): Promise<Store> {
  const { replicas = 1, clock, report, regression } = options;
  const manager = new Kvm(jetstream);
  try {
    const made = await manager.create(bucket, {
      history: 1,
      replicas,
      description: storeDescription,
    });
    const status = await made.status();
    assertOwn(bucket, status.description, storeDescription);
    const kv = await manager.open(bucket); // Opened, it reads from the leader; created, from any replica.
    const deleteKey = deletion(jetstream, bucket);
    const writes =
      status.replicas > 1 ? new ReplicatedWrites(kv, deleteKey, clock) : plainWrites(kv, deleteKey);
    return new KvStore({ jetstream, kv, writes, bucket, clock, report, regression });
  } catch (thrown) {
    throw await bucketFailure(thrown, jetstream, `KV_${bucket}`, {
      bucket,
      wanted: storeDescription,
    });
  }
}

class KvStore implements Store {
  readonly #jetstream: JetStreamClient;
  readonly #kv: KV;
  readonly #writes: KvWrites;
  readonly #bucket: string;
  readonly #clock: Clock;
  readonly #report: (thrown: unknown) => void;
  readonly #regression: Regression;
  readonly #stops = new Set<() => void>();

  constructor(parts: {
    readonly jetstream: JetStreamClient;
    readonly kv: KV;
    readonly writes: KvWrites;
    readonly bucket: string;
    readonly clock: Clock;
    readonly report: (thrown: unknown) => void;
    readonly regression: Regression;
  }) {
    this.#jetstream = parts.jetstream;
    this.#kv = parts.kv;
    this.#writes = parts.writes;
    this.#bucket = parts.bucket;
    this.#clock = parts.clock;
    this.#report = parts.report;
    this.#regression = parts.regression;
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#run(`get ${key}`, key, async () => {
      const entry = await this.#kv.get(key);
      if (entry === null) return undefined;
      const { operation, value, revision } = entry;
      if (operation === "PUT") return { key, value: openValue(key, value), revision };
      assertDeletion(key, value);
      return undefined;
    });
  }

  create(key: string, value: Uint8Array): Promise<number> {
    return this.#write(`create ${key}`, key, () => this.#writes.create(key, sealValue(key, value)));
  }

  update(key: string, value: Uint8Array, revision: number): Promise<number> {
    return this.#write(`update ${key}`, key, () =>
      this.#writes.update(key, sealValue(key, value), revision),
    );
  }

  delete(key: string, revision: number): Promise<void> {
    return this.#run(`delete ${key}`, key, () => this.#writes.delete(key, revision));
  }

  async watch(
    onChange: (change: Change) => void,
    options: { readonly prefix?: string } = {},
  ): Promise<{ readonly stop: () => void }> {
    const root = `$KV.${this.#bucket}.`;
    const watch = await openKvWatch({
      jetstream: this.#jetstream,
      stream: `KV_${this.#bucket}`,
      filter: `${root}${options.prefix ?? ""}>`,
      clock: this.#clock,
      onMessage: (message) => {
        const key = message.subject.slice(root.length);
        if (isInternalKey(key)) return;
        const change = changeOf(message, key);
        this.#regression.seen(message.seq);
        onChange(change);
      },
      isDoubtful: (sequence) => this.#regression.isFar(sequence),
      report: this.#report,
    });
    const stop = (): void => {
      this.#stops.delete(stop);
      watch.stop();
    };
    this.#stops.add(stop);
    return { stop };
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
  }

  async #write(operation: string, key: string, run: () => Promise<number>): Promise<number> {
    const revision = await this.#run(operation, key, async () => {
      const accepted = await run();
      return this.#regression.isFar(accepted) ? this.#readRevision(key, accepted) : accepted;
    });
    this.#regression.seen(revision);
    return revision;
  }

  /** The revision of a key that was just written. */
  async #readRevision(key: string, accepted: number): Promise<number> {
    return (await this.#kv.get(key))?.revision ?? accepted;
  }

  async #run<T>(operation: string, key: string, run: () => Promise<T>): Promise<T> {
    assertKey(key);
    try {
      return await run();
    } catch (cause) {
      if (cause instanceof ConflictError) throw cause;
      throw new StoreUnavailableError(operation, { cause });
    }
  }
}

/** @throws {BadFrameError} if it was damaged, or somebody else wrote it. */
function changeOf(message: JsMsg, key: string): Change {
  const operation = message.headers?.get(operationHeader) ?? "";
  const revision = message.seq;
  if (operation === "") return { type: "put", key, value: openValue(key, message.data), revision };
  assertDeletion(key, message.data);
  return { type: "delete", key, revision };
}

/** As the client deletes a key, with a checksum. */
function deletion(jetstream: JetStreamClient, bucket: string): DeleteKey {
  return (key, revision) => {
    const deletionHeaders = headers();
    deletionHeaders.set(operationHeader, "DEL");
    return jetstream.publish(`$KV.${bucket}.${key}`, sealDeletion(key), {
      headers: deletionHeaders,
      expect: { lastSubjectSequence: revision },
    });
  };
}
