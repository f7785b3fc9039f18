/**
 * Passing over types: value types, block types, composite types, limits.
 *
 * Source: WebAssembly core specification, "Types" in the binary format.
 *
 * @module
 */
import type { ByteReader } from "./byte-reader.ts";
import { UnsupportedModuleError } from "./errors.ts";

export const i32 = 0x7f;
const refNull = 0x63;
const ref = 0x64;
const rec = 0x4e;
const sub = 0x50;
const subFinal = 0x4f;
const functionType = 0x60;
const structType = 0x5f;
const arrayType = 0x5e;

/** Passes over a value type and returns its first byte. */
export function skipValueType(reader: ByteReader): number {
  const first = reader.byte();
  if (first === ref || first === refNull) reader.skipInteger();
  return first;
}

/** A block type is a value type or the index of a function type. */
export function skipBlockType(reader: ByteReader): void {
  const first = reader.peek();
  if (first === ref || first === refNull) reader.position += 1;
  reader.skipInteger();
}

/** What the function types of a module take. */
export interface TypeSpace {
  /** How many types there are, those in recursive groups counted one by one. */
  readonly count: number;
  /** By type index: how many parameters, -1 for a type that is not a function's. */
  readonly parameters: readonly number[];
}

export function readTypes(reader: ByteReader): TypeSpace {
  const parameters: number[] = [];
  for (let left = reader.count(); left > 0; left -= 1) {
    let members = 1;
    if (reader.peek() === rec) {
      reader.position += 1;
      members = reader.count();
    }
    for (; members > 0; members -= 1) parameters.push(skipSubType(reader));
  }
  reader.checked();
  return { count: parameters.length, parameters };
}

function skipSubType(reader: ByteReader): number {
  let form = reader.byte();
  if (form === sub || form === subFinal) {
    for (let supers = reader.count(); supers > 0; supers -= 1) reader.u32();
    form = reader.byte();
  }
  if (form === functionType) {
    const parameters = reader.count();
    for (let left = parameters; left > 0; left -= 1) skipValueType(reader);
    for (let left = reader.count(); left > 0; left -= 1) skipValueType(reader);
    return parameters;
  }
  if (form !== structType && form !== arrayType)
    throw new UnsupportedModuleError(
      `the module declares a type of form ${form}, which is not known here`,
    );
  for (let left = form === structType ? reader.count() : 1; left > 0; left -= 1) {
    skipValueType(reader); // A packed type is one byte too.
    reader.position += 1;
  }
  return -1;
}

/** The limits of a memory or a table. */
export interface Limits {
  readonly minimum: number;
  readonly maximum: number | undefined;
}

const flags = { maximum: 0x01, shared: 0x02, index64: 0x04, pageSize: 0x08 };

/** @throws {UnsupportedModuleError} for 64-bit, shared and custom-page memories and tables. */
export function readLimits(reader: ByteReader, what: "memory" | "table"): Limits {
  const given = reader.byte();
  // Waiting on shared memory would stop the thread, and nothing could wake it.
  if (given & flags.shared) throw new UnsupportedModuleError(`a shared ${what} cannot be metered`);
  if (given & flags.index64)
    throw new UnsupportedModuleError(`a 64-bit ${what} is not supported: build for wasm32`);
  if (given & flags.pageSize)
    throw new UnsupportedModuleError("a memory with pages of its own size is not supported");
  const minimum = reader.u32();
  return { minimum, maximum: given & flags.maximum ? reader.u32() : undefined };
}
