/**
 * TypeScript from a file: a component, a WIT file, or a folder of WIT with its dependencies.
 *
 * @module
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { readSource } from "./component-source.ts";
import { BuildError, ComponentNotFoundError, NotAComponentError } from "./errors.ts";
import { runTool } from "./toolchain.ts";
import { typescriptOf } from "./typescript.ts";
import { readWitDocs } from "./wit-docs.ts";
import { joinedWit, type WitFile } from "./wit-package.ts";
import { decodeWorld } from "./world-decoder.ts";

/** What to read. */
export interface ComponentTypesOptions {
  /** A component (`.wasm`), a WIT file, or a folder of WIT files with `deps/`. */
  readonly path: string;
  /** Which world of the WIT. Default: the only one. */
  readonly world?: string;
}

/**
 * The text of a TypeScript module with an interface of what the component answers (for `node.ref`), a type of what it
 * imports (for `component`), and every type they use, with the documentation of the WIT.
 *
 * @throws {ComponentNotFoundError} if there is no such file.
 * @throws {NotAComponentError} if the file is a damaged component.
 * @throws {BuildError} if the WIT has a mistake, or has several worlds and none was chosen.
 */
export async function componentTypes({ path, world }: ComponentTypesOptions): Promise<string> {
  const source = basename(path);
  const files = await witFiles(path);
  if (files === undefined) {
    const bytes = await readSource({ path });
    const name = source.replace(/\.[^.]*$/, "").replaceAll(/[^A-Za-z0-9]+/g, "-");
    return typescriptOf({ world: decodeWorld(bytes), name, docs: new Map(), source });
  }
  const wit = joinedWit(files);
  const { docs, worlds } = readWitDocs(wit);
  const own = readWitDocs(files.own.map(({ text }) => text).join("\n")).worlds;
  const name = world ?? (own.length === 1 ? own[0]! : undefined);
  if (name === undefined || !worlds.includes(name)) throw noSuchWorld(path, world, own);
  try {
    const made = await runTool({ tool: "interface", wit, world: name });
    const decoded = decodeWorld(made["component.wasm"]!);
    return typescriptOf({ world: decoded, name, docs, source });
  } catch (cause) {
    const { message } = cause as Error;
    throw new BuildError(`${path} has a mistake in its WIT: ${message}`, { cause });
  }
}

/** The WIT of a path; undefined for a file that is no WIT. */
async function witFiles(
  path: string,
): Promise<{ readonly own: WitFile[]; readonly deps: WitFile[] } | undefined> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    throw new ComponentNotFoundError(path, { cause });
  }
  if (!isFolder)
    return path.endsWith(".wit") ? { own: [await witFile(path)], deps: [] } : undefined;
  const own = await witOf(path);
  if (own.length === 0) throw new NotAComponentError(path, "is a folder without a .wit file");
  const entries = await readdir(join(path, "deps"), { withFileTypes: true }).catch(() => []);
  const deps: WitFile[] = [];
  for (const entry of entries.toSorted((a, b) => a.name.localeCompare(b.name))) {
    const inside = join(path, "deps", entry.name);
    if (entry.isDirectory()) deps.push(...(await witOf(inside)));
    else if (entry.name.endsWith(".wit")) deps.push(await witFile(inside));
  }
  return { own, deps };
}

async function witOf(folder: string): Promise<WitFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".wit")).toSorted();
  return Promise.all(names.map((name) => witFile(join(folder, name))));
}

async function witFile(path: string): Promise<WitFile> {
  return { path, text: await readFile(path, "utf8") };
}

function noSuchWorld(
  path: string,
  wanted: string | undefined,
  worlds: readonly string[],
): BuildError {
  const has = worlds.length === 0 ? "it has none" : `it has ${worlds.join(", ")}`;
  return new BuildError(
    wanted === undefined
      ? `${path}: choose a world; ${has}`
      : `${path} has no world ${wanted}; ${has}`,
  );
}
