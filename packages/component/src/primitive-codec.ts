/**
 * WIT's types without parts: numbers in range, text without halves of characters.
 *
 * @module
 */
import type { Codec } from "./value-codec.ts";
import { expected } from "./value-fault.ts";
import type { Primitive } from "./wit-type.ts";

function integer(name: Primitive, min: number, max: number): Codec {
  return {
    lower: (value) => {
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
        throw expected(name, value);
      return (value as number) + 0; // Never -0, which is no integer of WIT.
    },
  };
}

function bigInteger(name: Primitive, min: bigint, max: bigint): Codec {
  return {
    lower: (value) => {
      const whole = Number.isSafeInteger(value) ? BigInt(value as number) : value;
      if (typeof whole !== "bigint" || whole < min || whole > max) throw expected(name, value);
      return whole;
    },
  };
}

/** The one code point of a text; undefined if it is not exactly one, or half of one. */
function isOneCharacter(text: string): boolean {
  const code = text.codePointAt(0);
  return code !== undefined && text.length === (code > 0xffff ? 2 : 1) && text.isWellFormed();
}

export const primitiveCodecs: Readonly<Record<Primitive, Codec>> = {
  bool: {
    lower: (value) => {
      if (typeof value !== "boolean") throw expected("bool", value);
      return value;
    },
  },
  u8: integer("u8", 0, 0xff),
  u16: integer("u16", 0, 0xffff),
  u32: integer("u32", 0, 0xffff_ffff),
  u64: bigInteger("u64", 0n, (1n << 64n) - 1n),
  s8: integer("s8", -0x80, 0x7f),
  s16: integer("s16", -0x8000, 0x7fff),
  s32: integer("s32", -0x8000_0000, 0x7fff_ffff),
  s64: bigInteger("s64", -(1n << 63n), (1n << 63n) - 1n),
  f32: {
    lower: (value) => {
      // A number too large for 32 bits would become infinite.
      if (
        typeof value !== "number" ||
        (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
      )
        throw expected("f32", value);
      return value;
    },
  },
  f64: {
    lower: (value) => {
      if (typeof value !== "number") throw expected("f64", value);
      return value;
    },
  },
  char: {
    lower: (value) => {
      if (typeof value !== "string" || !isOneCharacter(value))
        throw expected("char (one character)", value);
      return value;
    },
  },
  string: {
    lower: (value) => {
      if (typeof value !== "string") throw expected("string", value);
      if (!value.isWellFormed()) throw expected("string without unpaired surrogates", value);
      return value;
    },
  },
};
