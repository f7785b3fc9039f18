/**
 * The same guest built by the tools of each language, as far as this machine has them.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { preview1AdapterReactorPath } from "@bytecodealliance/jco";
import { buildJsComponent } from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import { componentize } from "componentize-qjs";
import { digest, FileCache } from "../../../src/cache.ts";
import { toolVersions } from "../../../src/toolchain.ts";
import { cacheDir } from "../../chat-room.ts";
import { wrapped } from "../wat.ts";

const run = promisify(execFile);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const world = "polyglot";
const witPath = here("polyglot.wit");

/** One language. */
export interface Language {
  readonly name: string;
  /** What is missing on this machine; undefined if nothing is. */
  readonly missing: string | undefined;
  readonly build: () => Promise<Uint8Array>;
}

const clang = ["/usr/bin/clang", "/usr/bin/clang-14"].find(existsSync);
const hasWasiLibc = existsSync("/usr/include/wasm32-wasi/stdio.h");
const rustc = "/usr/bin/rustc";
const hasRust = existsSync(rustc) && existsSync("/usr/lib/rustlib/wasm32-unknown-unknown");

const rustFlags =
  "--edition 2018 --target wasm32-unknown-unknown --crate-type cdylib -O -C panic=abort -C strip=symbols".split(
    " ",
  );

export const languages: readonly Language[] = [
  {
    name: "JavaScript, on StarlingMonkey",
    missing: undefined,
    build: async () => {
      const source = here("guest.js");
      const options = { source, wit: witPath, world, cacheDir, logger: silentLogger };
      return readFile(await buildJsComponent(options));
    },
  },
  {
    name: "JavaScript, on QuickJS",
    missing: undefined,
    build: () =>
      cached("guest-quickjs.js", async (path) => {
        const jsSource = await readFile(path, "utf8");
        const made = await componentize({ witPath, world, jsSource, sync: true, stubWasi: true });
        return made.component;
      }),
  },
  {
    name: "AssemblyScript",
    missing: undefined,
    build: () =>
      cached("guest.as", (path) =>
        fromCore(async (out) => {
          // A program of its own, since its types declare a library of their own.
          const asc = here("../../../node_modules/.bin/asc");
          const source = `${out}.ts`;
          await copyFile(path, source);
          await run(asc, [source, "-o", out, "--runtime", "stub", "-O", "--use", "abort="]);
        }),
      ),
  },
  {
    name: "C",
    missing: clang !== undefined && hasWasiLibc ? undefined : "clang, lld or wasi-libc",
    build: () =>
      cached("guest.c", (path) =>
        fromCore(
          (out) =>
            run(clang!, ["--target=wasm32-wasi", "-mexec-model=reactor", "-O2", path, "-o", out]),
          [["wasi_snapshot_preview1", fileURLToPath(preview1AdapterReactorPath())]],
        ),
      ),
  },
  {
    name: "Rust",
    missing: hasRust ? undefined : "Debian's rustc with libstd-rust-dev-wasm32",
    build: () =>
      cached("guest.rs", (path) => fromCore((out) => run(rustc, [...rustFlags, path, "-o", out]))),
  },
];

async function cached(
  source: string,
  build: (path: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const path = here(source);
  const cache = new FileCache(`${cacheDir}/test`, silentLogger);
  const key = digest(toolVersions, await readFile(path), await readFile(witPath), source);
  const known = await cache.read(key);
  if (known !== undefined) return known["component.wasm"]!;
  const bytes = await build(path);
  await cache.write(key, { "component.wasm": bytes });
  return bytes;
}

/** What a compiler writes, as a component. */
async function fromCore(
  compile: (out: string) => Promise<unknown>,
  adapters: readonly (readonly [name: string, path: string])[] = [],
): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-guest-"));
  try {
    const out = join(folder, "guest.wasm");
    await compile(out);
    const loaded = await Promise.all(
      adapters.map(async ([name, path]): Promise<[string, Uint8Array]> => [
        name,
        await readFile(path),
      ]),
    );
    return await wrapped(await readFile(out), await readFile(witPath, "utf8"), world, loaded);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
