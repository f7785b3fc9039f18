/**
 * Reads WebAssembly's binary format: bytes, LEB128 integers, names, vectors.
 *
 * Reading past the end yields zeros and moves on, so every loop ends; {@link ByteReader.checked} then throws. That keeps
 * the walk over twelve million bytes free of a check for each of them.
 *
 * @module
 */
import { cutOff } from "./errors.ts";

const utf8 = new TextDecoder();

export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    return this.bytes[this.position++]!;
  }

  peek(): number {
    return this.bytes[this.position]!;
  }

  /** An unsigned integer of up to 32 bits. */
  u32(): number {
    let byte = this.bytes[this.position++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte & 0x80; shift += 7) {
      byte = this.bytes[this.position++]!;
      value |= (byte & 0x7f) << shift;
    }
    return value >>> 0;
  }

  /** Passes over one integer, whatever its width and sign. */
  skipInteger(): void {
    while (this.bytes[this.position++]! & 0x80);
  }

  /** The length of a vector whose elements take at least one byte each. @throws {MalformedModuleError} if too long. */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.position) throw cutOff();
    return count;
  }

  name(): string {
    const length = this.count();
    const text = utf8.decode(this.bytes.subarray(this.position, this.position + length));
    this.position += length;
    return text;
  }

  /** @throws {MalformedModuleError} if anything was read past the end. */
  checked(): void {
    if (!(this.position <= this.end)) throw cutOff();
  }
}
