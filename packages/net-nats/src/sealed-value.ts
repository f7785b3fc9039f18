/**
 * Values in a bucket behind a checksum of themselves and their key: what was damaged on the way is not read as something else.
 *
 * Four bytes, the CRC-32 of the key and the value in big endian, and the value. The mark of a deletion has the four bytes alone,
 * of the key and the word `DEL`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { BadFrameError } from "@coppice/net";

const checksumBytes = 4;
const deleted = Buffer.from("DEL");

export function sealValue(key: string, value: Uint8Array): Uint8Array {
  const sealed = Buffer.allocUnsafe(checksumBytes + value.length);
  sealed.writeUInt32BE(crc32(value, crc32(key)));
  sealed.set(value, checksumBytes);
  return sealed;
}

/** @throws {BadFrameError} if it, or its key, was damaged, or somebody else wrote it. */
export function openValue(key: string, sealed: Uint8Array): Uint8Array {
  const value = sealed.subarray(checksumBytes);
  assertSum(key, sealed, crc32(value, crc32(key)));
  return value;
}

/** What stands in place of the value of a deleted key. */
export function sealDeletion(key: string): Uint8Array {
  return sealValue(key, deleted).subarray(0, checksumBytes);
}

/** @throws {BadFrameError} as {@link openValue}. */
export function assertDeletion(key: string, sealed: Uint8Array): void {
  assertSum(key, sealed, crc32(deleted, crc32(key)));
}

function assertSum(key: string, sealed: Uint8Array, sum: number): void {
  const { buffer, byteOffset, length } = sealed;
  const isWhole =
    length >= checksumBytes && new DataView(buffer, byteOffset, length).getUint32(0) === sum;
  if (!isWhole) throw new BadFrameError(`the value of the key ${key} was damaged`);
}
