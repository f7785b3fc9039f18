/**
 * A program for the benchmarks: writes the tiny component, and what jco alone makes of it, into a folder.
 *
 * `tiny.wasm`, `sync/tiny.js` without suspension, `jspi/tiny.js` with every import and export suspending.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { watFixture } from "./fixtures.ts";

const folder = process.argv[2]!;
const bytes = await watFixture("tiny");
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "tiny.wasm"), bytes);
const common = {
  name: "tiny",
  instantiation: "async",
  noComponentErrorWrapping: false,
  emitTypescriptDeclarations: false,
  wasiShim: false,
} as const;
const modes = {
  sync: {},
  jspi: {
    asyncMode: "jspi" as const,
    asyncImports: ["number"],
    asyncExports: ["add", "ask", "crash"],
  },
};
for (const [mode, options] of Object.entries(modes)) {
  const { files } = await transpileBytes(bytes, { ...common, ...options });
  await mkdir(join(folder, mode), { recursive: true });
  await writeFile(join(folder, mode, "package.json"), '{ "type": "module" }\n');
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, mode, name), content);
}
