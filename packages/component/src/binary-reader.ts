/**
 * Reads WebAssembly's binary format: bytes, LEB128 integers, names.
 *
 * Source: WebAssembly core specification, binary format, values.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The bytes end in the middle, or are not what the format allows. */
export class MalformedError extends Error {
  static {
    this.prototype.name = "MalformedError";
  }
}

/** Bytes read in order, up to an end. */
export class BinaryReader {
  position: number;
  readonly bytes: Uint8Array;
  readonly end: number;

  constructor(bytes: Uint8Array, position: number, end: number) {
    if (end > bytes.length) throw new MalformedError("it is cut off");
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    if (this.done) throw new MalformedError("it is cut off");
    const byte = this.bytes[this.position]!;
    this.position += 1;
    return byte;
  }

  /** An unsigned integer of at most 32 bits. */
  unsigned(): number {
    let value = 0;
    let scale = 1;
    while (true) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > 0xffff_ffff) throw new MalformedError("an integer is out of range");
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  name(): string {
    const length = this.unsigned();
    const start = this.position;
    if (start + length > this.end) throw new MalformedError("it is cut off");
    this.position += length;
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString("utf8");
  }

  /** A reader of the next bytes, which this one skips. */
  section(length: number): BinaryReader {
    const part = new BinaryReader(this.bytes, this.position, this.position + length);
    if (part.end > this.end) throw new MalformedError("it is cut off");
    this.position += length;
    return part;
  }

  /** A count, then that many items. */
  list<T>(item: () => T): T[] {
    const count = this.unsigned();
    const items: T[] = [];
    for (let index = 0; index < count; index += 1) items.push(item());
    return items;
  }
}
