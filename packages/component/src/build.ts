/**
 * Building components from source, once for each.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@coppice/kernel";
import { digest, FileCache } from "./cache.ts";
import { BuildError } from "./errors.ts";
import { runTool, toolVersions } from "./toolchain.ts";

/** What to build. */
export interface BuildOptions {
  /** The JavaScript module: one file, it may import nothing but the world's imports. */
  readonly source: string;
  /** The WIT file with the world. */
  readonly wit: string;
  readonly world: string;
  /** Where built components are kept. */
  readonly cacheDir: string;
  readonly logger: Logger;
}

/**
 * Builds the component with componentize-js (the StarlingMonkey engine) and returns the path of its file. The first
 * build of a source takes seconds, up to a minute on a cold machine; later ones find it in the cache.
 *
 * @throws {BuildError} if the source or the WIT cannot be read or built.
 */
export async function buildJsComponent(options: BuildOptions): Promise<string> {
  const { source, wit, world, logger } = options;
  const cache = new FileCache(join(options.cacheDir, "built"), logger);
  let witText: string;
  let key: string;
  try {
    witText = await readFile(wit, "utf8");
    key = digest(toolVersions, await readFile(source), witText, world);
  } catch (cause) {
    const message = `${source} cannot be built: ${(cause as Error).message}`;
    throw new BuildError(message, { cause });
  }
  const path = join(cache.pathOf(key), "component.wasm");
  if ((await cache.read(key)) !== undefined) return path;
  logger.info({ event: "component_building", source }, `building ${source}`);
  try {
    const request = { tool: "componentize", sourcePath: source, wit: witText, world } as const;
    await cache.write(key, await runTool(request));
  } catch (cause) {
    const message = `${source} cannot be built as ${world}: ${(cause as Error).message}`;
    throw new BuildError(message, { cause });
  }
  return path;
}

/**
 * Builds the component that a file describes in WebAssembly's text format and returns the path of its file.
 *
 * @throws {BuildError} if the source cannot be read or is not such text.
 */
export async function buildTextComponent(
  options: Pick<BuildOptions, "source" | "cacheDir" | "logger">,
): Promise<string> {
  const { source, logger } = options;
  const cache = new FileCache(join(options.cacheDir, "built"), logger);
  try {
    const text = await readFile(source, "utf8");
    const key = digest(toolVersions, "text", text);
    if ((await cache.read(key)) === undefined)
      await cache.write(key, await runTool({ tool: "parse", text }));
    return join(cache.pathOf(key), "component.wasm");
  } catch (cause) {
    throw new BuildError(`${source} cannot be built: ${(cause as Error).message}`, { cause });
  }
}
