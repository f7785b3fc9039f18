/**
 * What WASI says about a file, from what Node says.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { BigIntStats, Dirent } from "node:fs";
import type { Datetime } from "../clocks.ts";

/** WASI's `descriptor-type`. */
export type FileType =
  | "unknown"
  | "block-device"
  | "character-device"
  | "directory"
  | "fifo"
  | "symbolic-link"
  | "regular-file"
  | "socket";

const nsPerSecond = 1_000_000_000n;

export function fileType(file: BigIntStats | Dirent): FileType {
  if (file.isFile()) return "regular-file";
  if (file.isDirectory()) return "directory";
  if (file.isSymbolicLink()) return "symbolic-link";
  if (file.isFIFO()) return "fifo";
  if (file.isSocket()) return "socket";
  if (file.isBlockDevice()) return "block-device";
  return file.isCharacterDevice() ? "character-device" : "unknown";
}

/** WASI's `descriptor-stat`. */
export function descriptorStat(stats: BigIntStats): object {
  return {
    type: fileType(stats),
    linkCount: stats.nlink,
    size: stats.size,
    dataAccessTimestamp: moment(stats.atimeNs),
    dataModificationTimestamp: moment(stats.mtimeNs),
    statusChangeTimestamp: moment(stats.ctimeNs),
  };
}

/** A hash that tells files apart and says nothing about the host: it depends on a key of the guest's own. */
export function metadataHash(
  key: Uint8Array,
  { dev, ino }: BigIntStats,
): { readonly lower: bigint; readonly upper: bigint } {
  const hash = createHmac("sha256", key)
    .update(Buffer.from(`${dev}:${ino}`))
    .digest();
  return { lower: hash.readBigUInt64LE(0), upper: hash.readBigUInt64LE(8) };
}

/** WASI's moments do not go before 1970. */
function moment(ns: bigint): Datetime {
  const since = ns < 0n ? 0n : ns;
  return { seconds: since / nsPerSecond, nanoseconds: Number(since % nsPerSecond) };
}

/** WASI's `new-timestamp`. */
export type NewTimestamp =
  | { readonly tag: "no-change" | "now" }
  | { readonly tag: "timestamp"; readonly val: Datetime };

/** In seconds since 1970, as Node takes it. */
export function newTime(wanted: NewTimestamp, currentNs: bigint, nowMs: number): number {
  switch (wanted.tag) {
    case "now":
      return nowMs / 1_000;
    case "timestamp":
      return Number(wanted.val.seconds) + wanted.val.nanoseconds / Number(nsPerSecond);
    case "no-change":
      return Number(currentNs) / Number(nsPerSecond);
  }
}
