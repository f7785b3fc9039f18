/**
 * Values that carry a checksum: what was damaged on the way is not read as something else.
 *
 * Four bytes, the CRC-32 of the rest in big endian, and one msgpack value.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { decode, encode } from "./codec.ts";
import { BadFrameError, type DecodeLimits } from "./frame-limits.ts";

const checksumBytes = 4;

/** @throws as {@link encode}. */
export function encodeChecked(value: unknown): Uint8Array {
  const body = encode(value);
  const checked = Buffer.allocUnsafe(checksumBytes + body.length);
  checked.writeUInt32BE(crc32(body));
  checked.set(body, checksumBytes);
  return checked;
}

/** @throws {BadFrameError} for what was damaged; as {@link decode} for the rest. */
export function decodeChecked(data: Uint8Array, limits?: DecodeLimits): unknown {
  const body = data.subarray(checksumBytes);
  const { buffer, byteOffset, byteLength } = data;
  const isWhole =
    byteLength > checksumBytes &&
    new DataView(buffer, byteOffset, byteLength).getUint32(0) === crc32(body);
  if (!isWhole) throw new BadFrameError("a message was damaged on its way");
  return decode(body, limits);
}
