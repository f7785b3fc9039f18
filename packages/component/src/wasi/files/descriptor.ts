/**
 * `wasi:filesystem/types.descriptor`: an open file or directory of a preopen.
 *
 * A file descriptor holds an `OpenFile`; a directory descriptor a `Directory`, which is the root of every path given
 * to it.
 *
 * @module
 */
import { type BigIntStats, constants, type Dir } from "node:fs";
import {
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  opendir,
  readlink,
  rename,
  rmdir,
  symlink,
  unlink,
} from "node:fs/promises";
import { Resource, type Scope } from "../scope.ts";
import { InputStream, OutputStream } from "../streams.ts";
import { WasiError } from "../wasi-errors.ts";
import { Directory, locate, type Place } from "./directory.ts";
import { type DiskQuota, entryBytes } from "./disk-quota.ts";
import { answering, errnoCode } from "./file-error.ts";
import { OpenFile } from "./open-file.ts";
import { splitPath } from "./path-policy.ts";
import { descriptorStat, fileType, metadataHash, newTime, type NewTimestamp } from "./stat.ts";

interface PathFlags {
  readonly symlinkFollow?: boolean;
}

interface OpenFlags {
  readonly create?: boolean;
  readonly directory?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
}

interface DescriptorFlags {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly mutateDirectory?: boolean;
}

type Held =
  | { readonly type: "directory"; readonly directory: Directory }
  | { readonly type: "file"; readonly file: OpenFile };

/** What a descriptor is made of. */
export interface DescriptorState {
  readonly held: Held;
  /** Whether the preopen it came from may be changed. */
  readonly writable: boolean;
  /** How much may still be written in that preopen. */
  readonly quota: DiskQuota;
  readonly flags: DescriptorFlags;
  /** What all descriptors of the guest share. */
  readonly guest: GuestFiles;
}

/** The most files and directories one guest has open at once, its preopens not counted. */
const openFilesMax = 100;

/** What all descriptors of one guest share. */
export class GuestFiles {
  /** For `metadata-hash`. */
  readonly hashKey: Uint8Array;
  #open = 0;

  constructor(hashKey: Uint8Array) {
    this.hashKey = hashKey;
  }

  /** @throws {WasiError} if too many are open. */
  mayOpen(): void {
    if (this.#open >= openFilesMax) throw new WasiError("quota");
  }

  opened(): void {
    this.#open += 1;
  }

  closed(): void {
    this.#open -= 1;
  }
}

export class Descriptor extends Resource {
  readonly #state: DescriptorState;

  constructor(scope: Scope, state: DescriptorState) {
    state.guest.opened();
    super(scope, () => {
      state.guest.closed();
      if (state.held.type === "file") state.held.file.release();
      else scope.closing(state.held.directory.release());
    });
    this.#state = state;
  }

  /** A second descriptor of the same directory or file. */
  another(): Descriptor {
    const { held } = this.#state;
    if (held.type === "file") held.file.share();
    else held.directory.share();
    return new Descriptor(this.scope, this.#state);
  }

  readViaStream(offset: bigint): InputStream {
    return new InputStream(this.scope, this.#readable().source(offset));
  }

  writeViaStream(offset: bigint): OutputStream {
    return new OutputStream(this.scope, this.#writable().sink(offset));
  }

  appendViaStream(): OutputStream {
    return new OutputStream(this.scope, this.#writable().appendSink());
  }

  /** Advice is free to be ignored. */
  advise(): void {
    this.#file();
  }

  syncData(): Promise<void> {
    return answering(this.scope, async () => {
      if (this.#state.held.type === "file") await this.#file().handle.datasync();
    });
  }

  sync(): Promise<void> {
    return answering(this.scope, async () => {
      if (this.#state.held.type === "file") await this.#file().handle.sync();
    });
  }

  getFlags(): DescriptorFlags {
    return this.#state.flags;
  }

  getType(): string {
    return this.#state.held.type === "file" ? "regular-file" : "directory";
  }

  setSize(size: bigint): Promise<void> {
    return answering(this.scope, async () => {
      if (size > Number.MAX_SAFE_INTEGER) throw new WasiError("file-too-large");
      await this.#writable().resize(Number(size));
    });
  }

  setTimes(accessed: NewTimestamp, modified: NewTimestamp): Promise<void> {
    return answering(this.scope, async () => {
      this.#mustBeWritable();
      const stats = await this.#stat();
      const [atime, mtime] = this.#times(stats, accessed, modified);
      const { held } = this.#state;
      if (held.type === "file") await held.file.handle.utimes(atime, mtime);
      else await lutimes(held.directory.at("."), atime, mtime);
    });
  }

  read(length: bigint, offset: bigint): Promise<[Uint8Array, boolean]> {
    return answering(this.scope, async () => {
      const max = length > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(length);
      const bytes = await this.#readable().read(offset, max);
      return [bytes, bytes.length === 0 && max > 0];
    });
  }

  write(bytes: Uint8Array, offset: bigint): Promise<bigint> {
    return answering(this.scope, async () => {
      await this.#writable().write(bytes, offset);
      return BigInt(bytes.length);
    });
  }

  readDirectory(): Promise<DirectoryEntryStream> {
    return answering(this.scope, async () => {
      if (this.#state.flags.read !== true) throw new WasiError("bad-descriptor");
      this.#state.guest.mayOpen();
      const entries = await opendir(this.#directory().at("."));
      return new DirectoryEntryStream(this.scope, this.#state.guest, entries);
    });
  }

  createDirectoryAt(path: string): Promise<void> {
    return this.#changing(path, (place) => this.#making(() => mkdir(place.path)));
  }

  stat(): Promise<object> {
    return answering(this.scope, async () => descriptorStat(await this.#stat()));
  }

  statAt(flags: PathFlags, path: string): Promise<object> {
    return answering(this.scope, async () => {
      await using place = await this.#locate(path, flags);
      return descriptorStat(await statOf(place));
    });
  }

  setTimesAt(
    flags: PathFlags,
    path: string,
    accessed: NewTimestamp,
    modified: NewTimestamp,
  ): Promise<void> {
    return answering(this.scope, async () => {
      this.#mustBeWritable();
      await using place = await this.#locate(path, flags);
      const [atime, mtime] = this.#times(await statOf(place), accessed, modified);
      await lutimes(place.path, atime, mtime);
    });
  }

  /** Both ends must be writable: a second name for a read-only file would be a way to write it. */
  linkAt(flags: PathFlags, from: string, target: Descriptor, to: string): Promise<void> {
    return answering(this.scope, async () => {
      if (flags.symlinkFollow === true) throw new WasiError("invalid");
      this.#mustBeWritable();
      target.#mustBeWritable();
      this.#mustShareQuota(target);
      await using source = await this.#locate(from, {});
      await using place = await target.#locate(to, {});
      await this.#making(() => link(named(source), named(place)));
    });
  }

  openAt(
    pathFlags: PathFlags,
    path: string,
    openFlags: OpenFlags,
    flags: DescriptorFlags,
  ): Promise<Descriptor> {
    return answering(this.scope, async () => {
      const changes =
        openFlags.create || openFlags.truncate || flags.write || flags.mutateDirectory;
      if (changes && !this.#state.writable) throw new WasiError("read-only");
      this.#state.guest.mayOpen();
      await using place = await this.#locate(path, pathFlags);
      const isDirectory = openFlags.directory === true || place.directory;
      if (isDirectory && openFlags.create === true) throw new WasiError("invalid");
      const { quota } = this.#state;
      const wanted = { ...openFlags, ...flags };
      const held = await openPlace(this.scope, place, isDirectory, { ...wanted, quota });
      return new Descriptor(this.scope, {
        ...this.#state,
        held,
        flags: {
          read: flags.read ?? false,
          write: held.type === "file" && (flags.write ?? false),
          mutateDirectory: held.type === "directory" && this.#state.writable,
        },
      });
    });
  }

  readlinkAt(path: string): Promise<string> {
    return answering(this.scope, async () => {
      await using place = await this.#locate(path, {});
      const target = await readlink(place.path);
      if (target.startsWith("/")) throw new WasiError("not-permitted"); // Would tell of the host's own paths.
      return target;
    });
  }

  removeDirectoryAt(path: string): Promise<void> {
    return this.#changing(path, async (place) => {
      await rmdir(named(place));
      this.#state.quota.removed(0);
    });
  }

  renameAt(from: string, target: Descriptor, to: string): Promise<void> {
    return answering(this.scope, async () => {
      this.#mustBeWritable();
      target.#mustBeWritable();
      this.#mustShareQuota(target);
      await using source = await this.#locate(from, {});
      await using place = await target.#locate(to, {});
      const replaced = await removable(place.path, await statUnlessMissing(source.path));
      await rename(named(source), named(place));
      if (replaced !== undefined) this.#state.quota.removed(replaced);
    });
  }

  symlinkAt(target: string, path: string): Promise<void> {
    const split = splitPath(target); // A link that could not be followed is not made.
    if (!split.ok) return Promise.reject(new WasiError(split.code));
    return this.#changing(path, (place) => this.#making(() => symlink(target, place.path)));
  }

  unlinkFileAt(path: string): Promise<void> {
    return this.#changing(path, async (place) => {
      if (place.directory) throw new WasiError("is-directory");
      const removed = await removable(place.path);
      await unlink(place.path);
      if (removed !== undefined) this.#state.quota.removed(removed);
    });
  }

  async isSameObject(other: Descriptor): Promise<boolean> {
    try {
      const [mine, its] = [await this.#stat(), await other.#stat()];
      return mine.dev === its.dev && mine.ino === its.ino;
    } catch {
      return false; // `is-same-object` has no way to say that a file cannot be looked at.
    }
  }

  metadataHash(): Promise<object> {
    return answering(this.scope, async () =>
      metadataHash(this.#state.guest.hashKey, await this.#stat()),
    );
  }

  metadataHashAt(flags: PathFlags, path: string): Promise<object> {
    return answering(this.scope, async () => {
      await using place = await this.#locate(path, flags);
      return metadataHash(this.#state.guest.hashKey, await statOf(place));
    });
  }

  #file(): OpenFile {
    const { held } = this.#state;
    if (held.type !== "file") throw new WasiError("is-directory");
    return held.file;
  }

  #readable(): OpenFile {
    const file = this.#file();
    if (this.#state.flags.read !== true) throw new WasiError("bad-descriptor");
    return file;
  }

  #writable(): OpenFile {
    const file = this.#file();
    if (this.#state.flags.write !== true) throw new WasiError("bad-descriptor");
    return file;
  }

  #directory(): Directory {
    const { held } = this.#state;
    if (held.type !== "directory") throw new WasiError("not-directory");
    return held.directory;
  }

  #mustBeWritable(): void {
    if (!this.#state.writable) throw new WasiError("read-only");
  }

  /** As between two file systems: the guest copies instead. */
  #mustShareQuota(target: Descriptor): void {
    if (target.#state.quota !== this.#state.quota) throw new WasiError("cross-device");
  }

  /** Makes an entry. */
  async #making(make: () => Promise<unknown>): Promise<void> {
    const { quota } = this.#state;
    quota.take(entryBytes);
    try {
      await make();
    } catch (thrown) {
      quota.giveBack(entryBytes); // There is none.
      throw thrown;
    }
  }

  #locate(path: string, flags: PathFlags): Promise<Place> {
    return locate(this.#directory(), path, flags.symlinkFollow ?? false);
  }

  #changing(path: string, change: (place: Place) => Promise<unknown>): Promise<void> {
    return answering(this.scope, async () => {
      this.#mustBeWritable();
      await using place = await this.#locate(path, {});
      await change(place);
    });
  }

  #stat(): Promise<BigIntStats> {
    const { held } = this.#state;
    return held.type === "file"
      ? held.file.handle.stat({ bigint: true })
      : lstat(held.directory.at("."), { bigint: true });
  }

  #times(stats: BigIntStats, accessed: NewTimestamp, modified: NewTimestamp): [number, number] {
    const nowMs = this.scope.clock.wall();
    return [newTime(accessed, stats.atimeNs, nowMs), newTime(modified, stats.mtimeNs, nowMs)];
  }
}

/** `wasi:filesystem/types.directory-entry-stream`: one entry at a time, however large the directory is. */
export class DirectoryEntryStream extends Resource {
  readonly #entries: Dir;

  constructor(scope: Scope, guest: GuestFiles, entries: Dir) {
    guest.opened();
    super(scope, () => {
      guest.closed();
      scope.closing(entries.close());
    });
    this.#entries = entries;
  }

  readDirectoryEntry(): Promise<object | undefined> {
    return answering(this.scope, async () => {
      const entry = await this.#entries.read();
      return entry === null ? undefined : { type: fileType(entry), name: entry.name };
    });
  }
}

/** Opens what a path names. The last part is never followed here: `locate` has done that. */
async function openPlace(
  scope: Scope,
  place: Place,
  isDirectory: boolean,
  flags: OpenFlags & DescriptorFlags & { readonly quota: DiskQuota },
): Promise<Held> {
  const { quota } = flags;
  if (isDirectory) return { type: "directory", directory: await Directory.open(place.path, false) };
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } =
    constants;
  const access = flags.write === true ? (flags.read === true ? O_RDWR : O_WRONLY) : O_RDONLY;
  const before = flags.create || flags.truncate ? await statUnlessMissing(place.path) : undefined;
  const isNew = flags.create === true && before === undefined;
  if (isNew) quota.take(entryBytes);
  const opening = open(
    place.path,
    access |
      O_NOFOLLOW |
      O_NONBLOCK | // A named pipe must not hold a thread of the host.
      (flags.create === true ? O_CREAT : 0) |
      (flags.exclusive === true ? O_EXCL : 0) |
      (flags.truncate === true ? O_TRUNC : 0),
  );
  const handle = await opening.catch((thrown: unknown) => {
    if (isNew) quota.giveBack(entryBytes);
    throw thrown;
  });
  try {
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) {
      if (flags.truncate === true && before?.ino === stats.ino) quota.giveBack(Number(before.size));
      return { type: "file", file: new OpenFile(scope, handle, quota) };
    }
    if (!stats.isDirectory()) throw new WasiError("not-permitted"); // A device, a pipe, a socket.
    const directory = await Directory.open(place.path, false);
    await handle.close();
    return { type: "directory", directory };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

/** How many bytes are free once this entry is gone, because it is replaced `by` another if any; undefined if none is gone. */
async function removable(path: string, by?: BigIntStats): Promise<number | undefined> {
  const stats = await statUnlessMissing(path);
  if (stats === undefined) return undefined;
  if (by?.ino === stats.ino && by.dev === stats.dev) return undefined; // To rename it to itself does nothing.
  return stats.isFile() && stats.nlink === 1n ? Number(stats.size) : 0;
}

async function statUnlessMissing(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (thrown) {
    if (errnoCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

async function statOf(place: Place): Promise<BigIntStats> {
  const stats = await lstat(place.path, { bigint: true });
  if (place.directory && !stats.isDirectory()) throw new WasiError("not-directory");
  return stats;
}

/** The entry, which must have a name of its own: the root of a descriptor cannot be moved or removed. */
function named(place: Place): string {
  if (place.name === ".") throw new WasiError("busy");
  return place.path;
}
