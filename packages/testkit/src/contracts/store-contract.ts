/**
 * What every store does, as tests: run against each implementation.
 *
 * @module
 */
import { type Change, ConflictError, type Store } from "@coppice/net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** A store under test. */
export interface StoreUnderTest {
  readonly store: Store;
  readonly stop: () => Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Declares the tests. `start` runs once, before them. */
export function describeStore(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`${name}: the store contract`, () => {
    let under: StoreUnderTest;
    let store: Store;
    let keys = 0;
    const key = (): string => `test.${(keys += 1)}`;

    beforeAll(async () => {
      under = await start();
      ({ store } = under);
    });

    afterAll(async () => {
      await store.close();
      await under.stop();
    });

    test("a key is created once", async () => {
      const each = key();
      expect(await store.get(each)).toBeUndefined();
      const revision = await store.create(each, bytes("1"));
      const entry = await store.get(each);
      expect([entry?.revision, new TextDecoder().decode(entry?.value)]).toEqual([revision, "1"]);
      await expect(store.create(each, bytes("2"))).rejects.toThrow(ConflictError);
    });

    test("an update needs the current revision", async () => {
      const each = key();
      const first = await store.create(each, bytes("1"));
      const second = await store.update(each, bytes("2"), first);
      expect(second).toBeGreaterThan(first);
      await expect(store.update(each, bytes("3"), first)).rejects.toThrow(ConflictError);
    });

    test("revisions grow over a delete", async () => {
      const each = key();
      const first = await store.create(each, bytes("1"));
      await expect(store.delete(each, first - 1)).rejects.toThrow(ConflictError);
      await store.delete(each, first);
      expect(await store.get(each)).toBeUndefined();
      expect(await store.create(each, bytes("2"))).toBeGreaterThan(first + 1);
    });

    test("of many who create at once exactly one wins", async () => {
      const each = key();
      const tries = Array.from({ length: 8 }, (_, index) => store.create(each, bytes(`${index}`)));
      const results = await Promise.allSettled(tries);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const result of results)
        if (result.status === "rejected") expect(result.reason).toBeInstanceOf(ConflictError);
    });

    test("a watcher sees what is there, then what changes, in order", async () => {
      const prefix = `${key()}.`;
      const first = await store.create(`${prefix}a`, bytes("1"));
      const changes: Change[] = [];
      const four = Promise.withResolvers<void>();
      const { stop } = await store.watch(
        (change) => {
          if (changes.push(change) === 4) four.resolve();
        },
        { prefix },
      );
      expect(changes.map(({ key: seen, revision }) => [seen, revision])).toEqual([
        [`${prefix}a`, first],
      ]);
      await store.create(key(), bytes("elsewhere"));
      const second = await store.update(`${prefix}a`, bytes("2"), first);
      await store.delete(`${prefix}a`, second);
      await store.create(`${prefix}b`, bytes("3"));
      await four.promise;
      stop();
      expect(changes.map(({ type }) => type)).toEqual(["put", "put", "delete", "put"]);
      const revisions = changes.map(({ revision }) => revision);
      expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    });

    test("watching nothing is ready at once, and two watchers see the same", async () => {
      const prefix = `${key()}.`;
      const seen = [0, 1].map(() => Promise.withResolvers<number>());
      for (const each of seen)
        await store.watch(({ revision }) => each.resolve(revision), { prefix });
      const revision = await store.create(`${prefix}a`, bytes("1"));
      expect(await Promise.all(seen.map(({ promise }) => promise))).toEqual([revision, revision]);
    });

    test("a key with other characters is refused", async () => {
      for (const bad of ["", "a b", "a..b", ".a", "a*", "ü", "x".repeat(300)])
        await expect(Promise.resolve().then(() => store.create(bad, bytes("")))).rejects.toThrow(
          TypeError,
        );
    });
  });
}
