/**
 * Compiling a component: its bytes to core modules and the JavaScript that joins them, once for each digest.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Logger } from "@coppice/kernel";
import { type RewriteOptions, rewriteVersion } from "@coppice/meter";
import { MalformedError } from "./binary-reader.ts";
import { digest, FileCache, type Files } from "./cache.ts";
import { type ComponentSource, readSource, sourceName } from "./component-source.ts";
import { corrected } from "./emitted-script.ts";
import { NotAComponentError } from "./errors.ts";
import { FunctionPaths } from "./function-paths.ts";
import type { GuestWebAssembly } from "./scheduler/core-hooks.ts";
import { checkLimits, rewriteOptionsOf } from "./scheduler/limits.ts";
import { suspendingExports, suspendingImports } from "./suspending-imports-policy.ts";
import { runTool, toolVersions, UnsupportedByToolError } from "./toolchain.ts";
import { isOtherWasi } from "./wasi/wasi-version-policy.ts";
import { decodeWorld } from "./world-decoder.ts";
import { importKeys, usesAsync, type WitWorld } from "./wit-type.ts";

/** What to compile. */
export type CompileOptions = ComponentSource & {
  /** Where compiled components are kept. */
  readonly cacheDir: string;
  readonly logger: Logger;
  /** The most memory one instance may have, in bytes, rounded down to pages of 64 KiB. Default: 256 MiB. */
  readonly memoryBytes?: number;
  /**
   * Whether its instances can be interrupted and limited in time. Default: true. Without it they run up to twice as fast,
   * and one that loops stops its thread for good: only for components you would run as your own code.
   */
  readonly metering?: boolean;
  /** Whether async functions, streams and futures are taken, as far as jco has them. Default: false, they are refused. */
  readonly experimentalAsync?: boolean;
  /** Whether the host gives an interface of WASI itself, so that its functions may be async. Default: it gives none. */
  readonly replaces?: (interfaceName: string) => boolean;
};

/** A compiled component as what can cross to another thread. */
export interface CompiledArtifact {
  /** Where it came from, for errors. */
  readonly source: string;
  readonly world: WitWorld;
  /** Its core modules by jco's names, as they are instantiated: threads may share them. */
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
  /** The URL of jco's script. */
  readonly script: string;
  /** Of the component's bytes, the tools and the limits: equal for instances that can be restored from each other. */
  readonly digest: string;
}

/** A compiled component: instantiate it as often as needed. */
export interface CompiledComponent extends CompiledArtifact {
  readonly paths: FunctionPaths;
  /** The same without what stays on this thread. */
  readonly artifact: CompiledArtifact;
  /**
   * A new instance, without checks. `imports` has jco's form, with a function `$charge`. `instantiateCore` makes one of a
   * core module; default: `webAssembly`'s own. `webAssembly` is a guest's, through which its scheduler rules it: a metered
   * component does not run without. Default: the real one.
   */
  readonly instantiate: (
    imports: object,
    instantiateCore?: InstantiateCore,
    webAssembly?: GuestWebAssembly,
  ) => Promise<Record<string, unknown>>;
}

export type InstantiateCore = (
  module: WebAssembly.Module,
  imports: Record<string, Record<string, unknown>>,
) => Promise<WebAssembly.Instance>;

interface EmittedModule {
  readonly instantiate: (
    getCoreModule: (name: string) => WebAssembly.Module,
    imports: object,
    webAssembly: object,
    instantiateCore?: InstantiateCore,
  ) => Promise<Record<string, unknown>>;
}

/**
 * @throws {ComponentNotFoundError} if there is no such file, or no such digest in the store.
 * @throws {NotAComponentError} if it is not a whole component, or uses what is not supported: the message says which.
 * @throws {RangeError} if `memoryBytes` is no number from 0 to 4 GiB.
 */
export async function compileComponent(options: CompileOptions): Promise<CompiledComponent> {
  return compileBytes(await readSource(options), options);
}

/** As {@link compileComponent}, when the bytes of its source have been read. */
export async function compileBytes(
  bytes: Uint8Array,
  options: CompileOptions,
): Promise<CompiledComponent> {
  const { cacheDir, logger, memoryBytes, replaces = () => false } = options;
  checkLimits({ memoryBytes });
  const source = sourceName(options);
  const world = readWorld(source, bytes);
  const other = world.importedInterfaces.find(({ name }) => !replaces(name) && isOtherWasi(name));
  if (other !== undefined) {
    const what = `imports ${other.name}: only WASI 0.2 is there, build it for that or pass it in imports`;
    throw new NotAComponentError(source, what);
  }
  if (usesAsync(world) && options.experimentalAsync !== true) {
    const what = "has async functions, streams or futures: set experimentalAsync to try them";
    throw new NotAComponentError(source, what);
  }
  const asyncImports = suspendingImports(world, replaces);
  const cache = new FileCache(join(cacheDir, "compiled"), logger);
  const rewrite = rewriteOptionsOf(options);
  const rewriting = JSON.stringify({ rewriteVersion, ...rewrite });
  const key = digest(toolVersions, rewriting, bytes, ...asyncImports);
  let files = await cache.read(key);
  if (files === undefined) {
    files = await transpiled({ source, bytes, asyncImports, world, rewrite });
    await cache.write(key, files);
  }
  const modules = await coreModules(source, files);
  const script = pathToFileURL(join(cache.pathOf(key), "component.mjs")).href;
  return fromArtifact({ source, world, modules, script, digest: key });
}

/** The component again, on this thread or another. */
export async function fromArtifact(artifact: CompiledArtifact): Promise<CompiledComponent> {
  const { world, modules, script } = artifact;
  const emitted = (await import(script)) as EmittedModule;
  const getCoreModule = (name: string): WebAssembly.Module => modules.get(name)!;
  return {
    ...artifact,
    artifact,
    paths: new FunctionPaths(world),
    instantiate: (imports, instantiateCore, webAssembly) => {
      const own = webAssembly ?? (Object.create(WebAssembly) as object); // The script adds to it.
      return emitted.instantiate(getCoreModule, imports, own, instantiateCore);
    },
  };
}

function readWorld(source: string, bytes: Uint8Array): WitWorld {
  try {
    return decodeWorld(bytes);
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new NotAComponentError(source, `cannot be used: ${cause.message}`, { cause });
  }
}

async function transpiled(of: {
  readonly source: string;
  readonly bytes: Uint8Array;
  readonly asyncImports: readonly string[];
  readonly world: WitWorld;
  readonly rewrite: RewriteOptions;
}): Promise<Files> {
  const { source, bytes, asyncImports, world, rewrite } = of;
  let files: Files;
  try {
    const asyncExports = suspendingExports(world);
    files = await runTool({
      tool: "transpile",
      bytes,
      asyncImports,
      asyncExports,
      importKeys: versionedKeys(world),
      rewrite,
    });
  } catch (cause) {
    throw new NotAComponentError(source, refusal(cause as Error), { cause });
  }
  const { "component.js": script, ...rest } = files;
  const text = corrected(Buffer.from(script!).toString("utf8"), usesAsync(world));
  return { ...rest, "component.mjs": Buffer.from(text) };
}

/** Names for the interfaces that would share one. */
function versionedKeys(world: WitWorld): Record<string, string> {
  return Object.fromEntries([...importKeys(world)].filter(([name, key]) => name === key));
}

/** How the tools say that a component is whole, and too much for them; they may trap themselves. */
const beyondTools =
  /unsupported|not supported|unimplemented|not (?:yet )?implemented|exceeds limit|not enabled|requires the|was not a function or instance|is not a type or function|wasm trap/i;

/** What the tools said in many lines, as the end of one sentence. */
function refusal(thrown: Error): string {
  const lines = thrown.message.split("\n").map((line) => line.trim());
  const causes = lines.slice(lines.indexOf("Caused by:") + 1).filter((line) => line !== "");
  const reason = causes.at(lines.includes("Caused by:") ? -1 : 0) ?? "";
  if (thrown instanceof UnsupportedByToolError)
    return `has a core module that cannot be used: ${reason}`;
  if (beyondTools.test(thrown.message)) return `uses what is not supported: ${reason}`;
  return `is not a whole component, build or copy it again: ${reason}`;
}

async function coreModules(source: string, files: Files): Promise<Map<string, WebAssembly.Module>> {
  const modules = new Map<string, WebAssembly.Module>();
  for (const [name, content] of Object.entries(files)) {
    if (!name.endsWith(".wasm")) continue;
    try {
      modules.set(name, await WebAssembly.compile(content));
    } catch (cause) {
      const what = `has a core module that cannot be used: ${(cause as Error).message}`;
      throw new NotAComponentError(source, what, { cause });
    }
  }
  return modules;
}
