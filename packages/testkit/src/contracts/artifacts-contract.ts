/**
 * What every place for artifacts does, as tests: run against each implementation.
 *
 * @module
 */
import { artifactBytesMax, type Artifacts, digestOf } from "@coppice/net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** Artifacts under test. */
export interface ArtifactsUnderTest {
  readonly artifacts: Artifacts;
  readonly stop: () => Promise<void>;
}

/** Declares the tests. `start` runs once, before them. */
export function describeArtifacts(name: string, start: () => Promise<ArtifactsUnderTest>): void {
  describe(`${name}: the artifacts contract`, () => {
    let under: ArtifactsUnderTest;
    let artifacts: Artifacts;

    beforeAll(async () => {
      under = await start();
      ({ artifacts } = under);
    });

    afterAll(() => under.stop());

    test("bytes come back by their digest, larger ones than a message too", async () => {
      for (const size of [0, 1, 1_000, 3_000_000]) {
        const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 31) % 251);
        const digest = await artifacts.put(bytes);
        expect(digest).toBe(digestOf(bytes));
        const kept = await artifacts.get(digest);
        expect(kept?.length).toBe(size);
        expect(digestOf(kept!)).toBe(digest);
      }
    });

    test("the same bytes are kept once, also by two at once", async () => {
      const bytes = new TextEncoder().encode("twice");
      const digests = await Promise.all([artifacts.put(bytes), artifacts.put(bytes)]);
      expect(new Set([...digests, await artifacts.put(bytes)]).size).toBe(1);
      expect(await artifacts.get(digests[0])).toHaveLength(bytes.length);
    });

    test("a digest of nothing is undefined, and what is no digest is refused", async () => {
      expect(await artifacts.get(digestOf(new Uint8Array([1, 2, 3])))).toBeUndefined();
      for (const bad of ["", "abc", "x".repeat(64), "A".repeat(64), `../${"0".repeat(61)}`])
        await expect(Promise.resolve().then(() => artifacts.get(bad))).rejects.toThrow(TypeError);
    });

    test("more than an artifact may have is refused before anything is kept", async () => {
      const bytes = new Uint8Array(artifactBytesMax + 1);
      await expect(artifacts.put(bytes)).rejects.toThrow(RangeError);
    });
  });
}
