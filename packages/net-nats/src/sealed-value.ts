/**
 * Values in a bucket behind a checksum of themselves and their key: what was damaged on the way is not read as something else.
 *
 * The mark of a deletion has the checksum alone, of the key and the word `DEL`.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { BadFrameError, withChecksum, withoutChecksum } from "@coppice/net";

const nothing = new Uint8Array();

export function sealValue(key: string, value: Uint8Array): Uint8Array {
  return withChecksum(value, crc32(key));
}

/** @throws {BadFrameError} if it, or its key, was damaged, or somebody else wrote it. */
export function openValue(key: string, sealed: Uint8Array): Uint8Array {
  return opened(key, sealed, crc32(key));
}

/** What stands in place of the value of a deleted key. */
export function sealDeletion(key: string): Uint8Array {
  return withChecksum(nothing, seedOfDeletion(key));
}

/** @throws {BadFrameError} as {@link openValue}. */
export function assertDeletion(key: string, sealed: Uint8Array): void {
  opened(key, sealed, seedOfDeletion(key));
}

function seedOfDeletion(key: string): number {
  return crc32("DEL", crc32(key));
}

function opened(key: string, sealed: Uint8Array, seed: number): Uint8Array {
  const value = withoutChecksum(sealed, seed);
  if (value === undefined) throw new BadFrameError(`the value of the key ${key} was damaged`);
  return value;
}
