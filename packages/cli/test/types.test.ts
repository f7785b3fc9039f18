import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram } from "../src/program.ts";

const wit = fileURLToPath(new URL("../../../wit/chat-room.wit", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-types-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("types writes TypeScript into a file", async () => {
  const out = join(folder, "chat-room.ts");
  expect(await runProgram(["types", wit, "-o", out])).toBe(0);
  expect(await readFile(out, "utf8")).toContain("export interface ChatRoom {");
});

test("types fails for what it cannot read, has no such world, or cannot write", async () => {
  const empty = join(folder, "empty.wit");
  await writeFile(empty, "package a:b;");
  expect(await runProgram(["types", join(folder, "nothing.wit")])).toBe(2);
  expect(await runProgram(["types", empty])).toBe(2);
  expect(await runProgram(["types", wit, "--world", "other"])).toBe(2);
  expect(await runProgram(["types", wit, "-o", join(folder, "no", "folder.ts")])).toBe(2);
});
