import { describe, expect, test } from "vitest";
import { codecOf, type HandleContext } from "../src/value-codec.ts";
import { ValueFault } from "../src/value-fault.ts";
import type { Primitive, WitType } from "../src/wit-type.ts";

const primitive = (name: Primitive): WitType => ({ kind: "primitive", name });
const [u8, s64, string] = [primitive("u8"), primitive("s64"), primitive("string")];
const list = (of: WitType, length?: number): WitType =>
  length === undefined ? { kind: "list", of } : { kind: "list", of, length };
const option = (of: WitType): WitType => ({ kind: "option", of });

const point: WitType = {
  kind: "record",
  fields: [
    { name: "x", type: u8 },
    { name: "top-left", type: option(s64) },
    { name: "label", type: string },
  ],
};
const shape: WitType = {
  kind: "variant",
  cases: [
    { name: "dot", type: point },
    { name: "no-shape", type: undefined },
  ],
};
const colour: WitType = { kind: "enum", names: ["red", "dark-blue"] };
const mode: WitType = { kind: "flags", names: ["fast", "read-only"] };
const pair: WitType = { kind: "tuple", items: [string, list(shape)] };
const outcome: WitType = { kind: "result", ok: undefined, err: u8 };

const noHandles: HandleContext = {
  lower: () => expect.unreachable(),
  lift: () => expect.unreachable(),
};

function lower(type: WitType, value: unknown): unknown {
  return codecOf(type).lower(value, noHandles);
}

/** The fault as an error shows it. */
function faultOf(type: WitType, value: unknown): string {
  try {
    lower(type, value);
  } catch (thrown) {
    if (thrown instanceof ValueFault) return `${thrown.path}: ${thrown.what}`;
    throw thrown;
  }
  return "no fault";
}

describe("what JSON can say is taken too", () => {
  test.for([
    ["a whole number for a 64-bit integer", s64, -5, -5n],
    ["numbers for bytes", list(u8), [1, 2], Uint8Array.of(1, 2)],
    ["null for no value", option(string), null, undefined],
    [
      "names in kebab-case",
      point,
      { x: 1, "top-left": 2, label: "a" },
      { x: 1, topLeft: 2n, label: "a" },
    ],
    ["no optional field", point, { x: 1, label: "a" }, { x: 1, topLeft: undefined, label: "a" }],
    ["a flag that is not mentioned", mode, { readOnly: true }, { fast: false, readOnly: true }],
  ] as const)("%s", ([, type, value, expected]) => {
    expect(lower(type, value)).toEqual(expected);
  });
});

describe("a fault is named with the way to it", () => {
  test.for([
    [u8, 300, ": expected u8, got 300"],
    [u8, 1.5, ": expected u8, got 1.5"],
    [u8, -0.5, ": expected u8, got -0.5"],
    [u8, "7", ': expected u8, got "7"'],
    [u8, 7n, ": expected u8, got 7n"],
    [primitive("s8"), -129, ": expected s8, got -129"],
    [primitive("u16"), 65_536, ": expected u16, got 65536"],
    [primitive("u32"), -1, ": expected u32, got -1"],
    [primitive("s32"), 2 ** 31, ": expected s32, got 2147483648"],
    [primitive("u64"), -1n, ": expected u64, got -1n"],
    [primitive("u64"), 1n << 64n, ": expected u64, got 18446744073709551616n"],
    [s64, 2 ** 60, ": expected s64, got 1152921504606847000"],
    [s64, Number.NaN, ": expected s64, got NaN"],
    [primitive("f32"), 1e39, ": expected f32, got 1e+39"],
    [primitive("f64"), 1n, ": expected f64, got 1n"],
    [primitive("bool"), 1, ": expected bool, got 1"],
    [primitive("char"), "ab", ': expected char (one character), got "ab"'],
    [primitive("char"), "", ': expected char (one character), got ""'],
    [primitive("char"), "\ud800", ': expected char (one character), got "\\ud800"'],
    [string, null, ": expected string, got null"],
    [string, "a\udc00", ': expected string without unpaired surrogates, got "a\\udc00"'],
    [list(u8), "text", ': expected bytes, got "text"'],
    [list(u8), [1, 256], "[1]: expected u8, got 256"],
    [list(u8, 2), Uint8Array.of(1), ": expected a list of 2, got 1 bytes"],
    [list(string), { 0: "a" }, ": expected a list, got an object"],
    [
      list(point),
      [
        { x: 1, label: "a" },
        { x: 300, label: "b" },
      ],
      "[1].x: expected u8, got 300",
    ],
    [point, { x: 1, label: "a", y: 2 }, ": unknown field y; it has x, topLeft, label"],
    [point, { topLeft: 1 }, ": missing fields x, label"],
    [point, [1], ": expected a record, got a list of 1"],
    [shape, { tag: "star" }, '.tag: expected one of dot, no-shape, got "star"'],
    [shape, "dot", ': expected variant ({ tag, val }), got "dot"'],
    [shape, { tag: "dot", val: { x: "1", label: "" } }, '.val.x: expected u8, got "1"'],
    [
      shape,
      { tag: "no-shape", val: 1 },
      ".val: expected nothing, as no-shape carries nothing, got 1",
    ],
    [shape, { tag: "no-shape", value: 1 }, ": unknown field value; it has tag, val"],
    [pair, ["a"], ": expected a list of 2, got a list of 1"],
    [pair, ["a", [{ tag: "dot", val: {} }]], "[1][0].val: missing fields x, label"],
    [colour, "green", ': expected one of red, dark-blue, got "green"'],
    [colour, "darkBlue", ': expected one of red, dark-blue, got "darkBlue"'],
    [mode, { fast: 1 }, ".fast: expected bool, got 1"],
    [mode, { slow: true }, ": unknown flag slow; it has fast, readOnly"],
    [outcome, { tag: "err", val: -1 }, ".val: expected u8, got -1"],
    [option(option(u8)), 1, ": expected option ({ tag, val }), got 1"],
    [option(option(u8)), { tag: "some", val: 256 }, ".val: expected u8, got 256"],
  ] as const)("%o refuses %o", ([type, value, fault]) => {
    expect(faultOf(type, value)).toBe(fault);
  });
});
