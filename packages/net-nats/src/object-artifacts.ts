/**
 * Artifacts in a JetStream object store: an object for each, named by its digest.
 *
 * @module
 */
import {
  ArtifactDamagedError,
  type Artifacts,
  assertArtifactSize,
  assertDigest,
  digestOf,
  StoreUnavailableError,
} from "@coppice/net";
import type { JetStreamClient } from "@nats-io/jetstream";
import { type ObjectStore, Objm } from "@nats-io/obj";
import { artifactsDescription, assertOwn, bucketFailure } from "./buckets.ts";
import type { StoreOptions } from "./kv-store.ts";

/** Opens the bucket, and makes it if there is none. @throws {ForeignBucketError} */
export async function openObjectArtifacts(
  jetstream: JetStreamClient,
  bucket: string,
  { replicas = 1 }: StoreOptions,
): Promise<Artifacts> {
  const manager = new Objm(jetstream);
  try {
    const store = await manager.create(bucket, { description: artifactsDescription, replicas });
    assertOwn(bucket, (await store.status()).description, artifactsDescription);
    return new ObjectArtifacts(store);
  } catch (thrown) {
    throw await bucketFailure(thrown, jetstream, `OBJ_${bucket}`, {
      bucket,
      wanted: artifactsDescription,
    });
  }
}

class ObjectArtifacts implements Artifacts {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async put(bytes: Uint8Array): Promise<string> {
    assertArtifactSize(bytes);
    const digest = digestOf(bytes);
    await run(`put artifact ${digest}`, async () => {
      const kept = await this.#store.info(digest);
      if (kept === null || kept.deleted || kept.size !== bytes.length)
        await this.#store.putBlob({ name: digest }, bytes);
    });
    return digest;
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    assertDigest(digest);
    const bytes = await run(`get artifact ${digest}`, () => this.#store.getBlob(digest));
    if (bytes === null) return undefined;
    const found = digestOf(bytes);
    if (found !== digest) throw new ArtifactDamagedError(digest, found);
    return bytes;
  }
}

async function run<T>(operation: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw new StoreUnavailableError(operation, { cause });
  }
}
