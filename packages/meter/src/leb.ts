/**
 * LEB128, the variable-length integers of WebAssembly's binary format.
 *
 * @module
 */

/** Reads bytes and integers; where that is not possible it throws what `malformed` makes. */
export class LebReader {
  position: number;
  readonly #bytes: Uint8Array;
  readonly #malformed: () => Error;

  constructor(bytes: Uint8Array, position: number, malformed: () => Error) {
    this.#bytes = bytes;
    this.position = position;
    this.#malformed = malformed;
  }

  byte(): number {
    const byte = this.#bytes[this.position];
    if (byte === undefined) throw this.#malformed();
    this.position += 1;
    return byte;
  }

  /** An unsigned integer up to 2^53 - 1. */
  unsigned(): number {
    let value = 0;
    let scale = 1;
    while (true) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw this.#malformed();
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }
}

/** The shortest bytes of an unsigned integer. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
