/**
 * The envelope of what one node sends another: a fixed header that is checked before anything behind it is read.
 *
 * Layout, big endian, 48 bytes:
 *
 *    0  u8   major version
 *    1  u8   minor version
 *    2  u8   kind of what follows
 *    3  u8   zero
 *    4  u32  CRC-32 of bytes 0 to 3 and 8 to the end
 *    8  u32  epoch: which opening of the channel this belongs to
 *   12  u32  number of this packet in its channel, from 1, wrapping
 *   16  16 bytes  the receiver's incarnation, padded with zeros
 *   32  16 bytes  the sender's incarnation, padded with zeros
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { CoppiceError } from "@coppice/kernel";
import { BadFrameError } from "./frame-limits.ts";

/** A version of the protocol. Nodes of one major version understand each other. */
export interface ProtocolVersion {
  readonly major: number;
  /** A higher one only adds: what an older node does not know it passes over. */
  readonly minor: number;
}

/** What this node speaks. */
export const protocolVersion: ProtocolVersion = { major: 1, minor: 0 };

/** In bytes. */
export const headerLength = 48;
/** The longest incarnation, in characters of Latin-1. */
export const incarnationLengthMax = 16;

/** What is in a packet. `sync` holds nothing and asks for a packet back, so that both sides notice what was lost. */
export const packetKinds = { signals: 1, sync: 2 } as const;

const checksumAt = 4;
const checkedFrom = 8;
const toAt = 16;
const fromAt = 32;

/** What a header says. */
export interface Header {
  readonly version: ProtocolVersion;
  readonly kind: number;
  /** Which opening of the channel. */
  readonly epoch: number;
  readonly number: number;
  /** The life of the receiver that is meant. */
  readonly to: string;
  /** The life of the sender. */
  readonly from: string;
}

/** A message from a node that speaks another major version of the protocol. */
export class UnsupportedVersionError extends CoppiceError {
  static {
    this.prototype.name = "UnsupportedVersionError";
  }
  readonly code = "unsupported_version";
  readonly version: number;

  constructor(version: number, options?: ErrorOptions) {
    super(
      `a message of protocol version ${version} arrived, this node speaks ${protocolVersion.major}: run the same major version of Coppice on every node`,
      options,
    );
    this.version = version;
  }
}

/** @throws {UnsupportedVersionError} for another major version than this node's. */
export function assertSupported(major: number): void {
  if (major !== protocolVersion.major) throw new UnsupportedVersionError(major);
}

/** Writes what is the same in every packet of a channel. @throws {RangeError} for an incarnation that is too long. */
export function writeHeader(
  packet: Buffer,
  { kind, epoch, to, from }: Pick<Header, "kind" | "epoch" | "to" | "from">,
): void {
  if (to.length > incarnationLengthMax || from.length > incarnationLengthMax)
    throw new RangeError(`an incarnation has more than ${incarnationLengthMax} characters`);
  packet.fill(0, 0, headerLength);
  packet.writeUInt8(protocolVersion.major, 0);
  packet.writeUInt8(protocolVersion.minor, 1);
  packet.writeUInt8(kind, 2);
  packet.writeUInt32BE(epoch, 8);
  packet.write(to, toAt, "latin1");
  packet.write(from, fromAt, "latin1");
}

/** Completes a packet: its number and its checksum. */
export function sealPacket(packet: Buffer, number: number): void {
  packet.writeUInt32BE(number >>> 0, 12);
  packet.writeUInt32BE(checksumOf(packet), checksumAt);
}

function checksumOf(packet: Buffer): number {
  return crc32(packet.subarray(checkedFrom), crc32(packet.subarray(0, checksumAt)));
}

/**
 * The header of a packet whose checksum holds.
 *
 * @throws {UnsupportedVersionError} if its major version is another.
 * @throws {BadFrameError} if it is cut off, damaged, or nothing this protocol sends.
 */
export function readHeader(packet: Buffer): Header {
  if (packet.length < headerLength) throw new BadFrameError("the header is cut off");
  const version = { major: packet.readUInt8(0), minor: packet.readUInt8(1) };
  assertSupported(version.major);
  if (checksumOf(packet) !== packet.readUInt32BE(checksumAt))
    throw new BadFrameError("the checksum does not match");
  if (packet.readUInt8(3) !== 0 && version.minor <= protocolVersion.minor)
    throw new BadFrameError("a reserved byte is set");
  return {
    version,
    kind: packet.readUInt8(2),
    epoch: packet.readUInt32BE(8),
    number: packet.readUInt32BE(12),
    to: readIncarnation(packet, toAt),
    from: readIncarnation(packet, fromAt),
  };
}

/** The number that follows in a channel. */
export function nextNumber(number: number): number {
  return (number + 1) >>> 0;
}

function readIncarnation(packet: Buffer, at: number): string {
  let end = at;
  while (end < at + incarnationLengthMax && packet[end] !== 0) end += 1;
  return packet.toString("latin1", at, end);
}
