import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  compileComponent,
  component,
  componentDigest,
  ComponentNotFoundError,
  type ComponentSource,
  instantiate,
  NotAComponentError,
} from "@coppice/component";
import { type LogFields, silentLogger } from "@coppice/kernel";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { watFixture } from "./components/fixtures.ts";

let folder: string;
let path: string;
let bytes: Uint8Array;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-start-"));
  bytes = await watFixture("tiny");
  path = join(folder, "tiny.wasm");
  await writeFile(path, bytes);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function sum(
  source: ComponentSource,
  cacheDir = join(folder, "cache"),
  logger = silentLogger,
) {
  const compiled = await compileComponent({ ...source, cacheDir, logger });
  const instance = await instantiate(compiled, {
    imports: { number: () => 1 },
    onOutput: () => {},
  });
  return instance.call("add", [2, 3]);
}

describe("a component starts from", () => {
  test("a path, a file URL as text or as an object, and bytes", async () => {
    for (const source of [
      { path },
      { path: pathToFileURL(path) },
      { path: pathToFileURL(path).href },
      { bytes },
    ])
      expect(await sum(source)).toBe(5);
  });

  test("a digest in a store", async () => {
    const asked: string[] = [];
    const digest = componentDigest(bytes);
    const store = {
      get: async (wanted: string) => {
        asked.push(wanted);
        return wanted === digest ? bytes : undefined;
      },
    };
    expect(await sum({ digest, store })).toBe(5);
    expect(asked).toEqual([digest]);
    await expect(sum({ digest: "0".repeat(64), store })).rejects.toThrow(ComponentNotFoundError);
  });

  test("no bytes that are not what their digest says", async () => {
    const store = { get: async () => bytes };
    const wrong = sum({ digest: "0".repeat(64), store });
    await expect(wrong).rejects.toThrow(NotAComponentError);
    await expect(wrong).rejects.toThrow("component 000000000000 is damaged in the store");
  });
});

describe("a limit that makes no sense is refused before anything is compiled or started", () => {
  const cacheDir = "/nowhere";
  test.for([
    ["memoryBytes", Number.NaN, "limits.memoryBytes must be 0 to 4294967296, not NaN"],
    ["memoryBytes", -1, "limits.memoryBytes must be 0 to 4294967296, not -1"],
    ["memoryBytes", 5e9, "limits.memoryBytes must be 0 to 4294967296, not 5000000000"],
    ["cpuMsPerCall", Number.NaN, "limits.cpuMsPerCall must be 0 or more, not NaN"],
    ["importMs", -5, "limits.importMs must be 0 or more, not -5"],
    ["payloadBytes", "1", 'limits.payloadBytes must be 0 or more, not "1"'],
    ["snapshotBytes", -1, "limits.snapshotBytes must be 0 or more, not -1"],
  ] as const)("%s %s", ([name, value, message]) => {
    const limits = { [name]: value as number };
    expect(() => component({ id: "c", path, cacheDir, limits })).toThrow(new RangeError(message));
  });

  test("also where a component is compiled and instantiated by hand", async () => {
    const options = { bytes, cacheDir, logger: silentLogger };
    await expect(compileComponent({ ...options, memoryBytes: -1 })).rejects.toThrow(RangeError);
    const compiled = await compileComponent({ ...options, cacheDir: join(folder, "cache") });
    const wrong = { imports: { number: () => 1 }, onOutput: () => {}, importMs: Number.NaN };
    await expect(instantiate(compiled, wrong)).rejects.toThrow(RangeError);
  });
});

describe("the cache", () => {
  /** The one entry of a cache that was just filled. */
  async function filled(name: string): Promise<{ cacheDir: string; entry: string }> {
    const cacheDir = join(folder, name);
    await sum({ path }, cacheDir);
    const [key] = await readdir(join(cacheDir, "compiled"));
    return { cacheDir, entry: join(cacheDir, "compiled", key!) };
  }

  test.for<[string, (entry: string) => Promise<unknown>]>([
    ["a file cut off", (entry) => truncate(join(entry, "component.core.wasm"), 10)],
    ["a file gone", (entry) => rm(join(entry, "component.mjs"))],
    ["another file's content", (entry) => writeFile(join(entry, "component.mjs"), "export {}")],
    ["its list cut off", (entry) => truncate(join(entry, "manifest.json"), 10)],
    ["no list", (entry) => rm(join(entry, "manifest.json"))],
  ])("with %s is made again", async ([name, damage]) => {
    const { cacheDir, entry } = await filled(name);
    const before = await readFile(join(entry, "manifest.json"));
    await damage(entry);
    const logs: LogFields[] = [];
    const logger = { ...silentLogger, warn: (fields: LogFields) => void logs.push(fields) };
    expect(await sum({ path }, cacheDir, logger)).toBe(5);
    expect(await readFile(join(entry, "manifest.json"))).toEqual(before);
    expect(logs).toMatchObject([{ event: "cache_damaged" }]);
  });

  test("is left alone by what another process did not finish", async () => {
    const { cacheDir } = await filled("unfinished");
    const half = join(cacheDir, "compiled", "writing-half");
    await mkdir(half);
    await writeFile(join(half, "component.mjs"), "export");
    expect(await sum({ path }, cacheDir)).toBe(5);
  });

  test("is shared by processes that compile at once", { timeout: 60_000 }, async () => {
    const cacheDir = join(folder, "shared");
    const program = fileURLToPath(new URL("components/compile-process.ts", import.meta.url));
    const answers = Array.from({ length: 3 }, async () => {
      const child = fork(program, [path, cacheDir], { execArgv: [] });
      const [answer] = (await once(child, "message")) as [unknown];
      return answer;
    });
    expect(await Promise.all(answers)).toEqual([5, 5, 5]);
    expect(await readdir(join(cacheDir, "compiled"))).toHaveLength(1);
  });

  test("gives nothing to another version of the component", async () => {
    const cacheDir = join(folder, "versions");
    await sum({ path }, cacheDir);
    const other = Uint8Array.of(...bytes, 0, 2, 1, 0x78); // The same, with a custom section named "x".
    expect(await sum({ bytes: other }, cacheDir)).toBe(5);
    expect(await readdir(join(cacheDir, "compiled"))).toHaveLength(2);
  });
});
