import { describe, expect, test } from "vitest";
import { connected, executable, server } from "./servers.ts";

/** Longer than the watch waits before it asks how far it is, and than the answer may take, in milliseconds. */
const frozenMs = 3_400;
const writeEveryMs = 100;

describe.skipIf(executable === undefined)("a watch", () => {
  test("whose server was frozen tells every write once, in order", async () => {
    const { url, process } = await server();
    const [watching, writing] = [await connected(url), await connected(url)];
    const told: number[] = [];
    const watched = await watching.openStore("names");
    await watched.watch(({ revision }) => told.push(revision), { prefix: "name." });
    const store = await writing.openStore("names");
    const accepted: number[] = [];
    let number = 0;
    const write = async (): Promise<void> => {
      number += 1;
      const revision = store.create(`name.${number}`, new Uint8Array());
      await revision.then(
        (each) => accepted.push(each),
        () => {}, // Nobody answered in time.
      );
    };
    await write();
    await expect.poll(() => told).toEqual(accepted);

    process.kill("SIGSTOP");
    const writer = setInterval(() => void write(), writeEveryMs);
    await new Promise((resolve) => setTimeout(resolve, frozenMs));
    process.kill("SIGCONT");
    const before = accepted.length;
    await expect.poll(() => accepted.length, { timeout: 10_000 }).toBeGreaterThan(before + 10);
    clearInterval(writer);
    await write();
    await expect.poll(() => told.at(-1)).toBeGreaterThanOrEqual(accepted.at(-1)!);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(new Set(told).size).toBe(told.length);
    expect(told).toEqual(expect.arrayContaining(accepted));
  }, 30_000);
});
