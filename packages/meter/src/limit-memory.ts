/**
 * A ceiling on the memories a core module defines.
 *
 * Source: WebAssembly core specification, binary format of modules and limits.
 *
 * @module
 */
import { LebReader, unsigned } from "./leb.ts";

/** Bytes that are not a core module this rewriter understands. */
export class MeterError extends Error {
  static {
    this.prototype.name = "MeterError";
  }
  readonly code = "meter_malformed";
}

/** A page of WebAssembly memory, in bytes. */
export const pageBytes = 65_536;

const memorySection = 5;
const headerLength = 8;

/**
 * The module with the maximum of every memory it defines lowered to `maxPages`; all else stays byte for byte. A
 * memory that starts larger keeps its start as its maximum, so the module still instantiates.
 *
 * @throws {MeterError} if `module` is not a core module.
 */
export function limitMemory(module: Uint8Array, maxPages: number): Uint8Array {
  if (!Number.isInteger(maxPages) || maxPages < 0)
    throw new RangeError(`maxPages must be a whole number, 0 or more, not ${maxPages}`);
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (header.some((byte, index) => module[index] !== byte))
    throw new MeterError("the bytes are not a core WebAssembly module");
  const reader = new LebReader(module, headerLength, malformed);
  const parts: Uint8Array[] = [];
  let kept = 0;
  while (reader.position < module.length) {
    const start = reader.position;
    const id = reader.byte();
    const length = reader.unsigned();
    const end = reader.position + length;
    if (end > module.length) throw malformed();
    if (id === memorySection) {
      const body = limitedSection(reader, maxPages);
      if (reader.position !== end) throw malformed();
      parts.push(module.subarray(kept, start), Uint8Array.of(id, ...unsigned(body.length)), body);
      kept = end;
    }
    reader.position = end;
  }
  parts.push(module.subarray(kept));
  return concatenated(parts);
}

const hasMaximum = 0x01;
/** Maximum, shared, 64-bit: the flags of the memory64 and threads proposals. */
const knownFlags = 0x07;

function limitedSection(reader: LebReader, maxPages: number): Uint8Array {
  const count = reader.unsigned();
  const out: number[] = [...unsigned(count)];
  for (let index = 0; index < count; index += 1) {
    const flags = reader.byte();
    if ((flags & ~knownFlags) !== 0) throw malformed();
    const minimum = reader.unsigned();
    const maximum = (flags & hasMaximum) === 0 ? Infinity : reader.unsigned();
    const limit = Math.max(minimum, Math.min(maximum, maxPages));
    out.push(flags | hasMaximum, ...unsigned(minimum), ...unsigned(limit));
  }
  return Uint8Array.from(out);
}

function malformed(): MeterError {
  return new MeterError("the core module is cut off or malformed");
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
