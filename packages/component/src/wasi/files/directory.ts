/**
 * Directories of the host, held open, and paths followed below them without a way out.
 *
 * Node has no `openat`. On Linux `/proc/self/fd/<n>/<name>` is the same: it names an entry of the very directory that
 * is open, whatever its path is by now, so nobody can swap a directory for a symbolic link between a check and a use.
 * Elsewhere each step is checked with `lstat` first, which another writer of the same directory could race.
 *
 * Invariants:
 *   D1. The host never follows a symbolic link: links are read and followed here, below the root.
 *   D2. `..` at the root is refused, and so is a link to an absolute path.
 *
 * @module
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import process from "node:process";
import { WasiError } from "../wasi-errors.ts";
import { errnoCode } from "./file-error.ts";
import { linksMax, pathDepthMax, splitPath } from "./path-policy.ts";

/** Linux's O_PATH, which Node does not name: a handle for naming, not for reading, so it needs no permission to read. */
const pathOnly = 0o10000000;
const hasProc = process.platform === "linux";

/** A directory that stays the same one while it is held. Shared by count: the last `release` closes it. */
export class Directory {
  readonly #handle: FileHandle | undefined;
  readonly #path: string;
  #holders = 1;

  private constructor(path: string, handle: FileHandle | undefined) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Opens a directory that the host named. @throws {Error} of `node:fs` if there is none. */
  static async open(path: string, follow = true): Promise<Directory> {
    const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
    if (!hasProc) {
      const handle = await open(path, O_RDONLY | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW));
      await handle.close();
      return new Directory(path, undefined);
    }
    const flags = pathOnly | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW);
    const handle = await open(path, flags);
    return new Directory(`/proc/self/fd/${handle.fd}`, handle);
  }

  /** Where the host finds this entry, now; `.` is the directory itself. The entry itself may be a symbolic link. */
  at(name: string): string {
    return `${this.#path}/${name}`;
  }

  /** Opens a directory in this one; a symbolic link is ENOTDIR or ELOOP (D1). */
  openChild(name: string): Promise<Directory> {
    return Directory.open(this.at(name), false);
  }

  share(): this {
    this.#holders += 1;
    return this;
  }

  async release(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders === 0) await this.#handle?.close();
  }
}

/** An entry that a path names, which may not exist. */
export class Place implements AsyncDisposable {
  /** Directories on the way, the root first. */
  readonly #way: Directory[];
  /** The last part; `.` if the path names a directory already open. */
  readonly name: string;
  /** The path can only name a directory. */
  readonly directory: boolean;

  constructor(way: Directory[], name: string, directory: boolean) {
    this.#way = way;
    this.name = name;
    this.directory = directory;
  }

  get path(): string {
    return this.#way.at(-1)!.at(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const directory of this.#way.toReversed()) await directory.release();
  }
}

/**
 * Follows `path` below `root`. A last part that is a symbolic link is followed only with `follow`.
 *
 * @throws {WasiError} with WASI's code for a path that leads out or cannot be.
 * @throws {Error} of `node:fs` for a part that is not there.
 */
export async function locate(root: Directory, path: string, follow: boolean): Promise<Place> {
  const split = partsOf(path);
  const rest = [...split.parts];
  let { directory } = split;
  const way = [root.share()];
  let links = 0;
  try {
    for (;;) {
      const name = rest.shift();
      if (name === undefined) return new Place(way, ".", true);
      if (name === "..") {
        if (way.length === 1) throw new WasiError("not-permitted"); // D2
        await way.pop()!.release();
        continue;
      }
      const parent = way.at(-1)!;
      const isLast = rest.length === 0;
      const target =
        isLast && !follow && !directory ? undefined : await linkTarget(parent.at(name));
      if (target !== undefined) {
        links += 1;
        if (links > linksMax) throw new WasiError("loop");
        const more = partsOf(target);
        if (isLast) directory ||= more.directory;
        rest.unshift(...more.parts);
      } else if (isLast) {
        return new Place(way, name, directory);
      } else {
        way.push(await parent.openChild(name));
      }
      if (way.length + rest.length > pathDepthMax) throw new WasiError("name-too-long");
    }
  } catch (thrown) {
    for (const opened of way) await opened.release();
    throw thrown;
  }
}

function partsOf(path: string): { readonly parts: readonly string[]; readonly directory: boolean } {
  const split = splitPath(path);
  if (!split.ok) throw new WasiError(split.code);
  return split;
}

/** Where a symbolic link points; undefined for anything else, also for what is not there. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (thrown) {
    const code = errnoCode(thrown);
    if (code === "ENOENT" || code === "EINVAL") return undefined; // EINVAL: it was a link a moment ago.
    throw thrown;
  }
}
