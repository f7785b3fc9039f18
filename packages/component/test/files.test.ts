import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildJsComponent,
  compileComponent,
  ComponentNotFoundError,
  NotAComponentError,
} from "@coppice/component";
import { type LogFields, silentLogger } from "@coppice/kernel";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildChatRoom, buildTimeoutMs } from "./chat-room.ts";

let folder: string;
let good: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-component-"));
  good = join(folder, "room.wasm");
  await copyFile(await buildChatRoom(), good);
}, buildTimeoutMs);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function compile(path: string, logger = silentLogger) {
  return compileComponent({ path, cacheDir: join(folder, "cache"), logger });
}

test("a file that is not there is named", async () => {
  const path = join(folder, "missing.wasm");
  await expect(compile(path)).rejects.toThrow(ComponentNotFoundError);
  await expect(compile(path)).rejects.toThrow(`there is no component at ${path}`);
});

test("a file that is no component is told apart: text, core module, cut off, damaged", async () => {
  const bytes = await readFile(good);
  const coreModule = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
  const cases = [
    [await file("text.wasm", "hello\n"), /text\.wasm is a text file/],
    [await file("core.wasm", coreModule), /core\.wasm is a core WebAssembly module.*jco new/],
    [await file("short.wasm", bytes.subarray(0, 5)), /short\.wasm is cut off/],
    [
      await file("half.wasm", bytes.subarray(0, 100_000)),
      /half\.wasm cannot be used: it is cut off/,
    ],
    [await file("noise.wasm", Uint8Array.of(9, 8, 7, 6, 5)), /is not a WebAssembly component/],
    [folder, /cannot be read/],
  ] as const;
  for (const [path, message] of cases) {
    const error = await compile(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotAComponentError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain("\n");
  }
});

test("a damaged cache entry is noticed and made again", async () => {
  const logs: LogFields[] = [];
  const logger = { ...silentLogger, warn: (fields: LogFields) => void logs.push(fields) };
  await compile(good, logger);
  const compiled = join(folder, "cache", "compiled");
  const [entry] = await readdir(compiled);
  await writeFile(join(compiled, entry!, "component.core2.wasm"), "damaged");
  const again = await compile(good, logger);
  expect(again.world.exports.map(({ name }) => name)).toEqual([
    "init",
    "add-message",
    "message-added",
  ]);
  expect(logs).toMatchObject([{ event: "cache_damaged" }]);
});

test("a source that does not build says why", async () => {
  const build = buildJsComponent({
    source: await file("bad.js", "export function ("),
    wit: await file("bad.wit", "package a:b; world w { export f: func(); }"),
    world: "w",
    cacheDir: join(folder, "cache"),
    logger: silentLogger,
  });
  await expect(build).rejects.toThrow(/bad\.js cannot be built as w: /);
});
