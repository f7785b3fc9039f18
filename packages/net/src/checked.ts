/**
 * Bytes that carry a checksum: what was damaged on the way is not read as something else.
 *
 * Four bytes, the CRC-32 of the rest in big endian, and the rest: of a message one msgpack value.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { decode, encode } from "./codec.ts";
import { BadFrameError, type DecodeLimits } from "./frame-limits.ts";

const checksumBytes = 4;

/** The bytes behind their checksum. `seed`: the CRC-32 of what both sides know and is not sent. Default: of nothing. */
export function withChecksum(body: Uint8Array, seed = 0): Uint8Array {
  const checked = Buffer.allocUnsafe(checksumBytes + body.length);
  checked.writeUInt32BE(crc32(body, seed));
  checked.set(body, checksumBytes);
  return checked;
}

/** What {@link withChecksum} was given; nothing if it was damaged. */
export function withoutChecksum(data: Uint8Array, seed = 0): Uint8Array | undefined {
  if (data.length < checksumBytes) return undefined;
  const body = data.subarray(checksumBytes);
  const { buffer, byteOffset, byteLength } = data;
  const isWhole = new DataView(buffer, byteOffset, byteLength).getUint32(0) === crc32(body, seed);
  return isWhole ? body : undefined;
}

/** @throws as {@link encode}. */
export function encodeChecked(value: unknown): Uint8Array {
  return withChecksum(encode(value));
}

/** @throws {BadFrameError} for what was damaged; as {@link decode} for the rest. */
export function decodeChecked(data: Uint8Array, limits?: DecodeLimits): unknown {
  const body = withoutChecksum(data);
  if (body === undefined || body.length === 0)
    throw new BadFrameError("a message was damaged on its way");
  return decode(body, limits);
}
