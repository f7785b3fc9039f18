/**
 * `wasi:filesystem`: the directories a guest was given, and nothing else.
 *
 * @module
 */
import { drawBytes } from "../random.ts";
import type { Scope } from "../scope.ts";
import type { IoError } from "../streams.ts";
import { WasiOptionError } from "../wasi-errors.ts";
import { Descriptor, DirectoryEntryStream, GuestFiles } from "./descriptor.ts";
import { Directory } from "./directory.ts";
import { DiskQuota, preopenBytesDefault } from "./disk-quota.ts";

/** A directory of the host that a guest may use. */
export interface Preopen {
  /** The directory on the host. It must exist when the component starts. */
  readonly path: string;
  /** Whether the guest may change anything in it. Default: false. */
  readonly writable?: boolean;
  /**
   * How many bytes its files may grow by what the guest writes, all together; what it removes counts again. Beyond, the guest
   * is told `insufficient-space`. Default: 256 MiB.
   */
  readonly bytesMax?: number;
}

/** Preopens by the path the guest sees. */
export type Preopens = Readonly<Record<string, Preopen>>;

const hashKeyLength = 16;

/** Opens the preopens and returns the interfaces by name. @throws {WasiOptionError} if one cannot be opened. */
export async function files(scope: Scope, preopens: Preopens): Promise<Record<string, object>> {
  const guest = new GuestFiles(drawBytes(scope.random, hashKeyLength));
  const roots: [Descriptor, string][] = [];
  for (const [guestPath, preopen] of Object.entries(preopens)) {
    const { path, writable = false, bytesMax = preopenBytesDefault } = preopen;
    if (!guestPath.startsWith("/"))
      throw new WasiOptionError(`the preopen ${guestPath} must be an absolute path of the guest`);
    if (typeof bytesMax !== "number" || !(bytesMax >= 0))
      throw new WasiOptionError(`the preopen ${guestPath}: bytesMax must be 0 or more`);
    const directory = await openRoot(guestPath, path);
    const state = {
      held: { type: "directory", directory } as const,
      writable,
      quota: new DiskQuota(bytesMax),
      flags: { read: true, write: false, mutateDirectory: writable },
      guest,
    };
    roots.push([new Descriptor(scope, state), guestPath]);
  }
  return {
    "wasi:filesystem/preopens": {
      getDirectories: () => roots.map(([root, path]) => [root.another(), path]),
    },
    "wasi:filesystem/types": {
      Descriptor,
      DirectoryEntryStream,
      filesystemErrorCode: (error: IoError) =>
        typeof error.code === "string" ? error.code : undefined,
    },
  };
}

async function openRoot(guestPath: string, path: string): Promise<Directory> {
  try {
    return await Directory.open(path);
  } catch (cause) {
    const message = `the preopen ${guestPath} cannot be opened: ${(cause as Error).message}`;
    throw new WasiOptionError(message, { cause });
  }
}
