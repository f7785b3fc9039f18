import { expect, test } from "vitest";
import { checked } from "../src/validate.ts";
import { parseWorld } from "../src/wit-parser.ts";

const world = parseWorld(`
package root:component;

world root {
  import wasi:cli/stderr@0.2.12;
  /// A point.
  record point { x: u8, top-left: option<s64> }
  variant shape { dot(point), none }
  enum colour { red, blue }
  flags mode { fast, read-only }
  type bytes = list<u8>;
  import log: func(line: string);
  export draw: func(p: point, s: shape, c: colour, m: mode, b: bytes) -> result<u32, string>;
  export pair: async func(a: tuple<string, f64>, %list: list<list<char>>, r: result<_, bool>);
}
`);
const [draw, pair] = world.exports;
const typeOf = (index: number, of = draw!) => of.params[index]!.type;

test("a world's functions and interfaces are read", () => {
  expect(world.importedInterfaces).toEqual(["wasi:cli/stderr"]);
  expect(world.imports.map(({ name, signature }) => [name, signature])).toEqual([
    ["log", "func(line: string)"],
  ]);
  expect(pair!.params.map(({ name }) => name)).toEqual(["a", "list", "r"]);
});

test.for([
  [0, { x: 1, "top-left": 5 }, { x: 1, topLeft: 5n }],
  [0, { x: 1 }, { x: 1, topLeft: undefined }],
  [1, { tag: "dot", val: { x: 2 } }, { tag: "dot", val: { x: 2, topLeft: undefined } }],
  [1, { tag: "none" }, { tag: "none" }],
  [2, "red", "red"],
  [3, { readOnly: true }, { fast: false, readOnly: true }],
  [4, [1, 2], Uint8Array.of(1, 2)],
] as const)("parameter %i takes %j", ([index, value, expected]) => {
  expect(checked(typeOf(index), value, "v")).toEqual(expected);
});

test.for([
  [0, { x: 300 }, 'v.x: expected u8, got number "300"'],
  [0, { x: -1 }, 'v.x: expected u8, got number "-1"'],
  [0, { x: 1, y: 2 }, "v has no field y"],
  [0, {}, "v.x: expected u8, got undefined"],
  [1, { tag: "star" }, "v.tag: expected one of dot, none"],
  [1, { tag: "dot", val: { x: "1" } }, 'v.val.x: expected u8, got string "1"'],
  [2, "green", "v: expected one of red, blue"],
  [3, { fast: 1 }, "v.fast: expected bool"],
  [4, [1, 256], 'v[1]: expected u8, got number "256"'],
] as const)("parameter %i refuses %j", ([index, value, message]) => {
  expect(() => checked(typeOf(index), value, "v")).toThrow(message);
});

test("tuples, nested lists, chars and results are checked by position", () => {
  expect(() => checked(typeOf(0, pair), ["a"], "v")).toThrow("v: expected a list of 2 items");
  expect(() => checked(typeOf(1, pair), [["ab"]], "v")).toThrow("v[0][0]: expected char");
  expect(checked(typeOf(2, pair), { tag: "ok" }, "v")).toEqual({ tag: "ok", val: undefined });
  expect(() => checked(typeOf(2, pair), { tag: "err", val: 1 }, "v")).toThrow(
    "v.val: expected bool",
  );
});
