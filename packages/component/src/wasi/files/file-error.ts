/**
 * WASI's error codes for what the operating system says about files.
 *
 * @module
 */
import type { Scope } from "../scope.ts";
import { WasiError } from "../wasi-errors.ts";

const codes: Readonly<Record<string, string>> = {
  EACCES: "access",
  EAGAIN: "would-block",
  EBADF: "bad-descriptor",
  EBUSY: "busy",
  EDQUOT: "quota",
  EEXIST: "exist",
  EFBIG: "file-too-large",
  EILSEQ: "illegal-byte-sequence",
  EINTR: "interrupted",
  EINVAL: "invalid",
  EIO: "io",
  EISDIR: "is-directory",
  ELOOP: "loop",
  EMFILE: "quota",
  EMLINK: "too-many-links",
  ENAMETOOLONG: "name-too-long",
  ENFILE: "quota",
  ENODEV: "no-device",
  ENOENT: "no-entry",
  ENOMEM: "insufficient-memory",
  ENOSPC: "insufficient-space",
  ENOSYS: "unsupported",
  ENOTDIR: "not-directory",
  ENOTEMPTY: "not-empty",
  ENOTSUP: "unsupported",
  ENXIO: "no-such-device",
  EOVERFLOW: "overflow",
  EPERM: "not-permitted",
  EPIPE: "pipe",
  EROFS: "read-only",
  ESPIPE: "invalid-seek",
  ETXTBSY: "text-file-busy",
  EXDEV: "cross-device",
};

/** WASI's code for an error of `node:fs`; undefined if it is not one. */
export function fileErrorCode(thrown: unknown): string | undefined {
  const code = errnoCode(thrown);
  return code === undefined ? undefined : (codes[code] ?? "io");
}

/** `ENOENT` and the like; undefined for anything else. */
export function errnoCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  return typeof code === "string" && typeof syscall === "string" ? code : undefined;
}

/** Runs `work`; what the operating system refuses is answered with WASI's code. */
export async function answering<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
  try {
    return await scope.during(work());
  } catch (thrown) {
    const code = fileErrorCode(thrown);
    throw code === undefined ? thrown : new WasiError(code, { cause: thrown });
  }
}
