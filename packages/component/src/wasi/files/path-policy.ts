/**
 * Which paths a guest may name, and what they are made of. Pure: no file is looked at.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Longest path, in bytes of UTF-8 (Linux's PATH_MAX less its end). */
export const pathBytesMax = 4_095;
/** Longest name, in bytes of UTF-8. */
const nameBytesMax = 255;
/** Most parts of a path: each may hold a directory open while the path is followed. */
export const pathDepthMax = 64;
/** Most symbolic links followed for one path, as Linux does. */
export const linksMax = 40;

/** A path taken apart, or WASI's code for what is wrong with it. */
export type PathParts =
  | {
      readonly ok: true;
      readonly parts: readonly string[];
      /** The path ends in `/`, so it can only name a directory. */
      readonly directory: boolean;
    }
  | {
      readonly ok: false;
      readonly code: "invalid" | "no-entry" | "not-permitted" | "name-too-long";
    };

/** Takes a relative path apart. `.` is left out, `..` is kept: where it leads depends on symbolic links. */
export function splitPath(path: string): PathParts {
  if (path === "") return { ok: false, code: "no-entry" };
  if (path.includes("\0")) return { ok: false, code: "invalid" };
  if (path.startsWith("/")) return { ok: false, code: "not-permitted" };
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const tooLong =
    Buffer.byteLength(path) > pathBytesMax ||
    parts.length > pathDepthMax ||
    parts.some((part) => Buffer.byteLength(part) > nameBytesMax);
  if (tooLong) return { ok: false, code: "name-too-long" };
  return { ok: true, parts, directory: /(?:^|\/)\.{0,2}$/.test(path) };
}
