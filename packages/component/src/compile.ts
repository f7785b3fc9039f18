/**
 * Compiling a component: its bytes to core modules and the JavaScript that joins them, once for each digest.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Logger } from "@coppice/kernel";
import { type RewriteOptions, rewriteVersion } from "@coppice/meter";
import { digest, FileCache, type Files } from "./cache.ts";
import { ComponentNotFoundError, NotAComponentError } from "./errors.ts";
import type { GuestWebAssembly } from "./scheduler/core-hooks.ts";
import type { Guest } from "./scheduler/guest.ts";
import { type GuestLimits, rewriteOptionsOf } from "./scheduler/limits.ts";
import { advice, sniff } from "./sniff.ts";
import { runTool, toolVersions } from "./toolchain.ts";
import { parseWorld } from "./wit-parser.ts";
import type { WitWorld } from "./wit-type.ts";

/** What to compile. */
export interface CompileOptions {
  /** The component's file. */
  readonly path: string;
  /** Where compiled components are kept. */
  readonly cacheDir: string;
  readonly logger: Logger;
  readonly limits?: GuestLimits;
  /**
   * Whether its instances can be interrupted and limited in time. Default: true. Without it they run up to twice as fast,
   * and one that loops stops its thread for good: only for components you would run as your own code.
   */
  readonly metering?: boolean;
}

/** A compiled component as what can cross to another thread. */
export interface CompiledArtifact {
  /** The file it came from, for errors. */
  readonly path: string;
  readonly world: WitWorld;
  readonly limits: GuestLimits;
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
  /** Where the script is that joins the modules. */
  readonly script: string;
  /** Of the component's bytes, the tools and the limits: equal for instances that can be restored from each other. */
  readonly digest: string;
}

/** A compiled component: instantiate it as often as needed. */
export interface CompiledComponent {
  /** The file it came from, for errors. */
  readonly path: string;
  readonly world: WitWorld;
  readonly artifact: CompiledArtifact;
  readonly instantiate: (imports: object, guest: Guest) => Promise<Record<string, unknown>>;
}

interface EmittedModule {
  readonly instantiate: (
    getCoreModule: (name: string) => WebAssembly.Module,
    imports: object,
    webAssembly: GuestWebAssembly,
  ) => Promise<Record<string, unknown>>;
}

/**
 * @throws {ComponentNotFoundError} if there is no such file.
 * @throws {NotAComponentError} if it is not a whole component.
 */
export async function compileComponent(options: CompileOptions): Promise<CompiledComponent> {
  const { path, limits = {}, metering = true } = options;
  const bytes = await readComponent(path);
  const cache = new FileCache(join(options.cacheDir, "compiled"), options.logger);
  const rewrite = rewriteOptionsOf(limits, metering);
  const key = digest(toolVersions, JSON.stringify({ rewriteVersion, ...rewrite }), bytes);
  let files = await cache.read(key);
  if (files === undefined) {
    files = await transpiled(path, bytes, rewrite);
    await cache.write(key, files);
  }
  const modules = new Map<string, WebAssembly.Module>();
  for (const [name, content] of Object.entries(files)) {
    if (!name.endsWith(".wasm")) continue;
    modules.set(name, await WebAssembly.compile(content));
  }
  const world = parseWorld(text(files, "component.wit"));
  const script = pathToFileURL(join(cache.pathOf(key), "component.mjs")).href;
  return fromArtifact({ path, world, limits, modules, script, digest: key });
}

/** The component again, on this thread or another. */
export async function fromArtifact(artifact: CompiledArtifact): Promise<CompiledComponent> {
  const { path, world, modules } = artifact;
  const emitted = (await import(artifact.script)) as EmittedModule;
  const getCoreModule = (name: string): WebAssembly.Module => modules.get(name)!;
  return {
    path,
    world,
    artifact,
    instantiate: (imports, guest) => emitted.instantiate(getCoreModule, imports, guest.webAssembly),
  };
}

async function readComponent(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new ComponentNotFoundError(path, { cause });
    throw new NotAComponentError(path, `cannot be read: ${message}`, { cause });
  }
  const kind = sniff(bytes);
  if (kind !== "component") throw new NotAComponentError(path, advice[kind]);
  return bytes;
}

async function transpiled(
  path: string,
  bytes: Uint8Array,
  rewrite: RewriteOptions,
): Promise<Files> {
  try {
    const wit = await runTool({ tool: "wit", bytes });
    const world = parseWorld(text(wit, "component.wit"));
    const { "component.js": script, ...files } = await runTool({
      tool: "transpile",
      bytes,
      asyncImports: world.imports.map(({ name }) => name),
      asyncExports: world.exports.map(({ name }) => name),
      rewrite,
    });
    return { ...files, ...wit, "component.mjs": adapted(script!) };
  } catch (cause) {
    const { message } = cause as Error;
    const what = `is not a whole component, build or copy it again: ${message.split("\n")[0]}`;
    throw new NotAComponentError(path, what, { cause });
  }
}

/**
 * jco's script with three changes: what it calls `WebAssembly` is a parameter, through which a scheduler sees every entry
 * and every wait; that parameter is shown the tables of open resources; and the script no longer reads an environment
 * variable at every step of a call to decide whether to log.
 */
function adapted(script: Uint8Array): Uint8Array {
  const source = Buffer.from(script).toString("utf8");
  const head = "instantiate(getCoreModule, imports, ";
  const tables = /const HANDLE_TABLES\s*=\s*\[\];/;
  if (!source.includes(head) || (source.includes("HANDLE_TABLES[") && !tables.test(source)))
    throw new Error("jco emitted a script of an unknown form");
  return Buffer.from(
    source
      .replace(head, `${head}WebAssembly, `)
      .replace(tables, "$& WebAssembly.handleTables = HANDLE_TABLES;")
      .replace(/const _debugLog = \(\.\.\.args\) => \{[^]*?\n {2}\}/, "const _debugLog = () => {}"),
  );
}

function text(files: Files, name: string): string {
  return Buffer.from(files[name]!).toString("utf8");
}
