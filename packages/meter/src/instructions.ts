/**
 * Passing over one instruction: which immediates follow each opcode.
 *
 * MVP, sign extension, saturating conversions, multi-value, reference types, bulk memory, SIMD and relaxed SIMD, atomics,
 * tail calls, typed function references, garbage collection, exceptions in both forms, multi-memory, wide arithmetic.
 *
 * Source: WebAssembly core specification, "Instructions" in the binary format; the threads proposal.
 *
 * @module
 */
import type { ByteReader } from "./byte-reader.ts";
import { UnsupportedModuleError } from "./errors.ts";
import { skipBlockType, skipValueType } from "./value-types.ts";

/** The opcodes that the scan of a function looks at. */
export const opcode = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  legacyTry: 0x06,
  rethrow: 0x09,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  branchTable: 0x0e,
  callFirst: 0x10,
  callLast: 0x15,
  delegate: 0x18,
  tryTable: 0x1f,
  memoryGrow: 0x40,
  branchOnNull: 0xd5,
  gc: 0xfb,
  bulk: 0xfc,
} as const;

/** What follows an opcode. */
const follows = {
  nothing: 1,
  integer: 2,
  twoIntegers: 3,
  blockType: 4,
  memory: 5,
  branchTable: 6,
  fourBytes: 7,
  eightBytes: 8,
  valueTypes: 9,
  tryTable: 10,
  prefix: 11,
};

const immediates = new Uint8Array(256);
function define(what: number, ...ranges: readonly (number | readonly [number, number])[]): void {
  for (const range of ranges) {
    const [first, last] = typeof range === "number" ? [range, range] : range;
    immediates.fill(what, first, last + 1);
  }
}
define(follows.nothing, 0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, [0x45, 0xc4]);
define(follows.nothing, 0xd1, 0xd3, 0xd4);
define(follows.integer, [0x07, 0x09], 0x0c, 0x0d, 0x10, 0x12, 0x14, 0x15, 0x18, [0x20, 0x26]);
define(follows.integer, [0x3f, 0x42], 0xd0, 0xd2, 0xd5, 0xd6);
define(follows.twoIntegers, 0x11, 0x13);
define(follows.blockType, [0x02, 0x04], 0x06);
define(follows.memory, [0x28, 0x3e]);
define(follows.branchTable, 0x0e);
define(follows.fourBytes, 0x43);
define(follows.eightBytes, 0x44);
define(follows.valueTypes, 0x1c);
define(follows.tryTable, 0x1f);
define(follows.prefix, [0xfb, 0xfe]);

/** Passes over what follows `op`. @throws {UnsupportedModuleError} if `op` is not known. */
export function skipImmediates(reader: ByteReader, op: number): void {
  switch (immediates[op]) {
    case follows.nothing:
      return;
    case follows.integer:
      reader.skipInteger();
      return;
    case follows.twoIntegers:
      reader.skipInteger();
      reader.skipInteger();
      return;
    case follows.blockType:
      skipBlockType(reader);
      return;
    case follows.memory:
      skipMemoryArgument(reader);
      return;
    case follows.branchTable:
      for (let left = reader.count() + 1; left > 0; left -= 1) reader.skipInteger();
      return;
    case follows.fourBytes:
      reader.position += 4;
      return;
    case follows.eightBytes:
      reader.position += 8;
      return;
    case follows.valueTypes:
      for (let left = reader.count(); left > 0; left -= 1) skipValueType(reader);
      return;
    case follows.tryTable:
      skipTryTable(reader);
      return;
    case follows.prefix:
      skipPrefixed(reader, op, reader.u32());
      return;
    default:
      throw unknown(op);
  }
}

/** Passes over what follows a two-part opcode. @throws {UnsupportedModuleError} if it is not known. */
export function skipPrefixed(reader: ByteReader, prefix: number, op: number): void {
  if (prefix === 0xfd) skipVector(reader, op);
  else if (prefix === 0xfc) skipMisc(reader, op);
  else if (prefix === 0xfb) skipGc(reader, op);
  else if (op === 3) reader.position += 1; // atomic.fence
  else skipMemoryArgument(reader);
}

/** Passes over a constant expression and its `end`. */
export function skipConstant(reader: ByteReader): void {
  while (!reader.done) {
    const op = reader.byte();
    if (op === opcode.end) return;
    skipImmediates(reader, op);
  }
}

/** The bit of the alignment that says that a memory index follows. */
const hasMemoryIndex = 0x40;

function skipMemoryArgument(reader: ByteReader): void {
  if (reader.u32() & hasMemoryIndex) reader.skipInteger();
  reader.skipInteger();
}

function skipTryTable(reader: ByteReader): void {
  skipBlockType(reader);
  for (let left = reader.count(); left > 0; left -= 1) {
    const catches = reader.byte();
    if (catches < 2) reader.skipInteger(); // catch and catch_ref name a tag
    reader.skipInteger();
  }
}

function skipGc(reader: ByteReader, op: number): void {
  if (op === 15 || (op >= 26 && op <= 30)) return; // array.len, conversions, i31
  if (op <= 1 || op === 6 || op === 7 || (op >= 11 && op <= 14) || op === 16) {
    reader.skipInteger();
  } else if (op <= 19) {
    reader.skipInteger();
    reader.skipInteger();
  } else if (op <= 23) {
    reader.skipInteger(); // ref.test and ref.cast: a heap type
  } else if (op <= 25) {
    reader.position += 1; // br_on_cast: flags, label, two heap types
    for (let left = 3; left > 0; left -= 1) reader.skipInteger();
  } else {
    throw unknown(0xfb, op);
  }
}

function skipMisc(reader: ByteReader, op: number): void {
  if (op <= 7 || (op >= 19 && op <= 22)) return; // conversions, wide arithmetic
  if (op > 22 || op === 18) throw unknown(0xfc, op);
  reader.skipInteger();
  if (op === 8 || op === 10 || op === 12 || op === 14) reader.skipInteger();
}

function skipVector(reader: ByteReader, op: number): void {
  if (op <= 11 || op === 92 || op === 93) {
    skipMemoryArgument(reader);
  } else if (op === 12 || op === 13) {
    reader.position += 16;
  } else if (op >= 21 && op <= 34) {
    reader.position += 1;
  } else if (op >= 84 && op <= 91) {
    skipMemoryArgument(reader);
    reader.position += 1;
  }
}

function unknown(...code: readonly number[]): UnsupportedModuleError {
  const digits = code.map((byte) => `0x${byte.toString(16)}`).join(" ");
  return new UnsupportedModuleError(
    `the module uses the instruction ${digits}, which is not known here`,
  );
}
