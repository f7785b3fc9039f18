/**
 * A look at bytes before they are decoded, so that hostile ones cost no memory: bytes, depth, the size of each
 * container, the number of all elements, and known types only.
 *
 * Source: the msgpack specification, https://github.com/msgpack/msgpack/blob/master/spec.md
 *
 * @module
 */
import { CoppiceError, depthMax } from "@coppice/kernel";

/** Bytes that are not what they should be, or exceed a limit. */
export class BadFrameError extends CoppiceError {
  static {
    this.prototype.name = "BadFrameError";
  }
  readonly code = "bad_frame";
}

/** What is accepted. */
export interface DecodeLimits {
  readonly bytesMax: number;
  /** Of one array, map or set. */
  readonly itemsMax: number;
  /** Of the whole value: every number, string, container and so on counts as one. */
  readonly elementsMax: number;
}

/** 8 MiB, and 262,144 elements in all as in one container. */
export const decodeLimitsDefault: DecodeLimits = {
  bytesMax: 8 << 20,
  itemsMax: 1 << 18,
  elementsMax: 1 << 18,
};

/** Extension types: one byte of extension, followed by one value. */
export const extensionTypes = { map: 7, set: 8, pid: 9 } as const;

/** Containers within containers, counting the pairs a map's extension holds. */
const scanDepthMax = depthMax * 3;

const wrapping = new Set<number>(Object.values(extensionTypes));
const timestampType = 0xff;
const bigintType = 0x42;
const undefinedType = 0x00;

/** The part of some bytes to look at. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** @throws {BadFrameError} unless that part of `bytes` is exactly one msgpack value within the limits. */
export function assertDecodable(
  bytes: Uint8Array,
  { start, end }: Range,
  limits: DecodeLimits,
): void {
  const length = end - start;
  if (length > limits.bytesMax)
    throw new BadFrameError(`${length} bytes are more than the ${limits.bytesMax} allowed`);
  const scan = new Scan(bytes, start, end, limits);
  scan.value(0);
  if (scan.position !== end)
    throw new BadFrameError(`${end - scan.position} bytes follow the value`);
}

class Scan {
  position: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #itemsMax: number;
  #elementsLeft: number;

  constructor(bytes: Uint8Array, start: number, end: number, limits: DecodeLimits) {
    this.#bytes = bytes;
    this.position = start;
    this.#end = end;
    this.#itemsMax = limits.itemsMax;
    this.#elementsLeft = limits.elementsMax;
  }

  value(depth: number): void {
    if (depth > scanDepthMax) throw new BadFrameError("values nest too deep");
    this.#elementsLeft -= 1;
    if (this.#elementsLeft < 0) throw new BadFrameError("a value has too many elements");
    const head = this.#length(1);
    if (head < 0x80 || head >= 0xe0) return;
    if (head < 0x90) return this.#items((head & 0x0f) * 2, depth);
    if (head < 0xa0) return this.#items(head & 0x0f, depth);
    if (head < 0xc0) return this.#skip(head & 0x1f);
    this.#long(head, depth);
  }

  #long(head: number, depth: number): void {
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return;
      case 0xc4:
      case 0xd9:
        return this.#skip(this.#length(1));
      case 0xc5:
      case 0xda:
        return this.#skip(this.#length(2));
      case 0xc6:
      case 0xdb:
        return this.#skip(this.#length(4));
      case 0xcc:
      case 0xd0:
        return this.#skip(1);
      case 0xcd:
      case 0xd1:
        return this.#skip(2);
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#skip(4);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.#skip(8);
      case 0xdc:
        return this.#items(this.#length(2), depth);
      case 0xdd:
        return this.#items(this.#length(4), depth);
      case 0xde:
        return this.#items(this.#length(2) * 2, depth);
      case 0xdf:
        return this.#items(this.#length(4) * 2, depth);
      default:
        return this.#extension(head, depth);
    }
  }

  #extension(head: number, depth: number): void {
    const length = head === 0xc7 ? this.#length(1) : 2 ** (head - 0xd4);
    const type = this.#length(1);
    this.#skip(length);
    if (head === 0xd4 && wrapping.has(type)) return this.value(depth + 1);
    if (head === 0xd4 && type === undefinedType) return;
    if (type === timestampType && (length === 4 || length === 8 || length === 12)) return;
    if (type === bigintType) return;
    throw new BadFrameError(`an unknown type of value: 0x${head.toString(16)} ${type}`);
  }

  #items(count: number, depth: number): void {
    if (count > this.#end - this.position)
      throw new BadFrameError("a container is longer than the bytes that follow");
    if (count > this.#itemsMax * 2)
      throw new BadFrameError(`a container has more than ${this.#itemsMax} items`);
    for (let index = 0; index < count; index += 1) this.value(depth + 1);
  }

  /** A big-endian number. */
  #length(size: 1 | 2 | 4): number {
    let at = this.position;
    this.#skip(size);
    let value = 0;
    for (; at < this.position; at += 1) value = value * 256 + this.#bytes[at]!;
    return value;
  }

  #skip(length: number): void {
    this.position += length;
    if (this.position > this.#end) throw new BadFrameError("the value is cut off");
  }
}
