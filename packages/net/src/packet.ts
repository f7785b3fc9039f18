/**
 * Packets: signals to one node, in order, behind one envelope.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { NodeAddress, Signal } from "@coppice/kernel";
import { withEncoded } from "./codec.ts";
import {
  type Header,
  headerLength,
  packetKinds,
  protocolVersion,
  readHeader,
  sealPacket,
  writeHeader,
} from "./envelope.ts";
import { BadFrameError } from "./frame-limits.ts";
import {
  bodyOf,
  frameHeaderLength,
  headerOf,
  readSignal,
  writeFrameHeader,
} from "./signal-frame.ts";

/** What a writer keeps between two packets, in bytes: at first, and at most. */
const bufferBytesFirst = 4 * 1024;
const bufferBytesKept = 128 * 1024;

/** Collects the signals of one channel. Its memory is used again for every packet. */
export class PacketWriter {
  #buffer = Buffer.allocUnsafeSlow(bufferBytesFirst);
  #end = headerLength;
  readonly #channel: Pick<Header, "epoch" | "to" | "from">;

  constructor(channel: Pick<Header, "epoch" | "to" | "from">) {
    this.#channel = channel;
    writeHeader(this.#buffer, { kind: packetKinds.signals, ...channel });
  }

  /** How many bytes a packet taken now would have. */
  get length(): number {
    return this.#end;
  }

  get isEmpty(): boolean {
    return this.#end === headerLength;
  }

  /**
   * Adds a signal, which is encoded at once: what its sender changes later is not sent.
   *
   * @throws {NotPlainDataError} {ValueTooLargeError} and adds nothing.
   */
  add(signal: Signal): void {
    const header = headerOf(signal);
    withEncoded(bodyOf(signal), (bytes, start, end) => {
      const at = this.#end;
      const bodyAt = at + frameHeaderLength;
      this.#reserve(bodyAt + end - start);
      writeFrameHeader(this.#buffer, at, header, end - start);
      this.#buffer.set(bytes.subarray(start, end), bodyAt);
      this.#end = bodyAt + end - start;
    });
  }

  /** Takes back what was added since the packet had `length` bytes. */
  cut(length: number): void {
    this.#end = length;
  }

  /** The packet of everything added since the last, sealed. The bytes are the caller's. */
  take(number: number): Uint8Array {
    const packet = Buffer.from(this.#buffer.subarray(0, this.#end));
    sealPacket(packet, number);
    this.#end = headerLength;
    if (this.#buffer.length > bufferBytesKept) {
      this.#buffer = Buffer.allocUnsafeSlow(bufferBytesFirst);
      writeHeader(this.#buffer, { kind: packetKinds.signals, ...this.#channel });
    }
    return packet;
  }

  /** A packet that holds nothing and asks for one back. */
  sync(number: number): Uint8Array {
    const packet = Buffer.alloc(headerLength);
    writeHeader(packet, { kind: packetKinds.sync, ...this.#channel });
    sealPacket(packet, number);
    return packet;
  }

  #reserve(end: number): void {
    if (end <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(end, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

/** A packet whose header was checked; its signals are read one after the other. */
export interface Packet {
  readonly header: Header;
  readonly bytes: Buffer;
  /** Whether its sender asks for a packet back. */
  readonly isSync: boolean;
}

/**
 * @throws {UnsupportedVersionError} if it is of another major version.
 * @throws {BadFrameError} if it is damaged.
 */
export function openPacket(data: Uint8Array): Packet {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const header = readHeader(bytes);
  const isKnown = header.kind === packetKinds.signals || header.kind === packetKinds.sync;
  if (!isKnown && header.version.minor <= protocolVersion.minor)
    throw new BadFrameError(`a packet of an unknown kind: ${header.kind}`);
  return { header, bytes, isSync: header.kind === packetKinds.sync };
}

/**
 * Hands every signal of a packet to `receive`, in order. What a newer minor version added is passed over.
 *
 * @throws {BadFrameError} at the first frame that is malformed; the ones before it have been handed out.
 */
export function readSignals(
  { header, bytes }: Packet,
  nodes: { readonly from: string; readonly to: NodeAddress },
  receive: (signal: Signal) => void,
): void {
  if (header.kind !== packetKinds.signals) return;
  const ends = { from: { node: nodes.from, incarnation: header.from }, to: nodes.to };
  let at = headerLength;
  while (at < bytes.length) {
    const start = at + frameHeaderLength;
    if (start > bytes.length) throw new BadFrameError("a frame's header is cut off");
    const end = start + bytes.readUInt32BE(at + 4);
    if (end > bytes.length) throw new BadFrameError("a frame's body is cut off");
    const signal = readSignal(bytes, at, { start, end }, ends);
    if (signal !== undefined) receive(signal);
    else if (header.version.minor <= protocolVersion.minor)
      throw new BadFrameError(`a signal of an unknown kind: ${bytes[at]}`);
    at = end;
  }
}
