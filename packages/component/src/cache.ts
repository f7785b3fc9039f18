/**
 * A cache of files on disk, by key: several processes may use it at once, and a damaged entry is as good as none.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@coppice/kernel";

/** The files of one entry, by name. */
export type Files = Readonly<Record<string, Uint8Array>>;

const manifestName = "manifest.json";

/** A digest of texts and bytes, in hexadecimal: equal only if all parts are. */
export function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex");
}

/** A folder of entries. */
export class FileCache {
  readonly #folder: string;
  readonly #logger: Logger;

  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  /** Where the files of an entry are. */
  pathOf(key: string): string {
    return join(this.#folder, key);
  }

  /** The entry's files; undefined if there is none, or if one of its files is not as it was written. */
  async read(key: string): Promise<Files | undefined> {
    const path = this.pathOf(key);
    if (!existsSync(path)) return undefined;
    try {
      // An entry appears with all its files: one without its list is as damaged as one with a wrong file.
      const manifest = await readFile(join(path, manifestName), "utf8");
      const files: Record<string, Uint8Array> = {};
      for (const [name, expected] of Object.entries(
        JSON.parse(manifest) as Record<string, string>,
      )) {
        const bytes = await readFile(join(path, name));
        if (digest(bytes) !== expected) throw new Error(`${name} is not as it was written`);
        files[name] = bytes;
      }
      return files;
    } catch (thrown) {
      this.#logger.warn(
        { event: "cache_damaged", path, error: String(thrown) },
        `the cached ${path} is damaged and is made again: ${String(thrown)}`,
      );
      await rm(path, { recursive: true, force: true });
      return undefined;
    }
  }

  /** Writes an entry in one step: another process sees all of it or nothing. */
  async write(key: string, files: Files): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temporary = await mkdtemp(join(this.#folder, "writing-"));
    const manifest: Record<string, string> = {};
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(join(temporary, name), bytes);
      manifest[name] = digest(bytes);
    }
    await writeFile(join(temporary, manifestName), JSON.stringify(manifest));
    try {
      await rename(temporary, this.pathOf(key));
    } catch (thrown) {
      await rm(temporary, { recursive: true, force: true });
      // Another process wrote the same entry first; anything else is a failure.
      if ((await this.read(key)) === undefined) throw thrown;
    }
  }
}
