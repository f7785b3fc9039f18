/**
 * Real components that use WASI, built once for each source and kept in the workspace's cache.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { componentize, type ComponentizeOptions } from "@bytecodealliance/componentize-js";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco";
import { type CompiledComponent, compileComponent } from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import { cacheDir } from "./chat-room.ts";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("components/", import.meta.url));
const jcoFiles = join(
  dirname(fileURLToPath(import.meta.resolve("@bytecodealliance/jco"))),
  "../lib",
);
const wasiVersion = "0.2.12";

/** Why C guests cannot be built here; undefined if they can. */
export const noClang =
  ["/usr/bin/clang", "/usr/bin/wasm-ld"].every(existsSync) &&
  existsSync("/usr/lib/wasm32-wasi/libc.a")
    ? undefined
    : "clang, lld, wasi-libc and libclang-rt-14-dev-wasm32 of Debian are not all installed";

/** A guest in C, compiled. */
export async function compileC(name: string): Promise<CompiledComponent> {
  return compiled(await buildC(name));
}

/** A guest in C, with wasi-libc and jco's adapter from preview 1: the path of the component. */
export async function buildC(name: string): Promise<string> {
  const source = join(folder, `${name}.c`);
  const wit = await witOf(name);
  return built([await readFile(source, "utf8"), wit], async (temporary) => {
    await run("clang", [
      "--target=wasm32-wasi",
      "-mexec-model=reactor",
      "-O2",
      "-o",
      temporary,
      source,
    ]);
    const binary = await componentEmbed({ witSource: wit, binary: await readFile(temporary) });
    const adapter = await readFile(join(jcoFiles, "wasi_snapshot_preview1.reactor.wasm"));
    return componentNew(binary, [["wasi_snapshot_preview1", adapter]]);
  });
}

/** A guest in JavaScript, on StarlingMonkey. Its world may import any interface of WASI. */
export async function compileJs(name: string): Promise<CompiledComponent> {
  const source = join(folder, `${name}.js`);
  const wit = await witOf(name);
  const path = await built([await readFile(source, "utf8"), wit], async () => {
    const options = {
      sourcePath: source,
      witWorld: wit,
      worldName: name,
      disableFeatures: ["fetch-event"],
    };
    const { component } = await componentize(options as unknown as ComponentizeOptions);
    return component;
  });
  return compiled(path);
}

/** The guest's world, with the packages of WASI it may import from. */
async function witOf(name: string): Promise<string> {
  const world = await readFile(join(folder, `${name}.wit`), "utf8");
  const packages = ["io", "clocks", "random", "cli", "filesystem", "sockets", "http"];
  const wasi = packages.map(async (each) => {
    const file = join(jcoFiles, "wit/builtin", wasiVersion, `wasi-${each}`, "package.wit");
    const text = await readFile(file, "utf8");
    return `${text.replace(/^package (.*);$/m, "package $1 {")}\n}\n`;
  });
  return [world, ...(await Promise.all(wasi))].join("\n");
}

/** A component from its text. */
export async function compileWat(text: string): Promise<CompiledComponent> {
  return compiled(await built([text], () => parse(text)));
}

async function built(
  key: readonly string[],
  build: (temporary: string) => Promise<Uint8Array>,
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);
  const path = join(cacheDir, "test", `${hash}.wasm`);
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, await build(temporary));
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return path;
}

function compiled(path: string): Promise<CompiledComponent> {
  return compileComponent({ path, cacheDir, logger: silentLogger });
}
