/**
 * Frames: what one node sends another, with a header that can be checked before the body is read.
 *
 * Layout, big endian: `u8` version, `u8` kind, `u16` zero, `u32` body length, `u32` CRC-32 of the body, body. Several
 * frames may follow one another in one message.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { CoppiceError } from "@coppice/kernel";
import { BadFrameError } from "./frame-limits.ts";

/** The version this node speaks. */
export const frameVersion = 1;

const headerLength = 12;

/** A frame. What `kind` and `body` mean is up to the sender and the receiver. */
export interface Frame {
  /** 0 to 255. */
  readonly kind: number;
  readonly body: Uint8Array;
}

/** A frame from a node that speaks another version of the protocol. */
export class UnsupportedVersionError extends CoppiceError {
  static {
    this.prototype.name = "UnsupportedVersionError";
  }
  readonly code = "unsupported_version";
  readonly version: number;

  constructor(version: number) {
    super(
      `a frame of protocol version ${version} arrived, this node speaks ${frameVersion}: run the same version of Coppice on every node`,
    );
    this.version = version;
  }
}

export function encodeFrame({ kind, body }: Frame): Uint8Array {
  const frame = Buffer.allocUnsafe(headerLength + body.length);
  frame.writeUInt8(frameVersion, 0);
  frame.writeUInt8(kind, 1);
  frame.writeUInt16BE(0, 2);
  frame.writeUInt32BE(body.length, 4);
  frame.writeUInt32BE(crc32(body), 8);
  frame.set(body, headerLength);
  return frame;
}

/**
 * All frames of one message. The bodies are views into `bytes`.
 *
 * @throws {BadFrameError} if one is cut off or its checksum is wrong.
 * @throws {UnsupportedVersionError} if one has another version.
 */
export function decodeFrames(bytes: Uint8Array): Frame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + headerLength > bytes.length) throw new BadFrameError("a frame's header is cut off");
    const version = view.getUint8(at);
    if (version !== frameVersion) throw new UnsupportedVersionError(version);
    const kind = view.getUint8(at + 1);
    const start = at + headerLength;
    const end = start + view.getUint32(at + 4);
    if (end > bytes.length) throw new BadFrameError("a frame's body is cut off");
    const body = bytes.subarray(start, end);
    if (view.getUint16(at + 2) !== 0 || crc32(body) !== view.getUint32(at + 8))
      throw new BadFrameError("a frame's checksum does not match its body");
    frames.push({ kind, body });
    at = end;
  }
  return frames;
}
