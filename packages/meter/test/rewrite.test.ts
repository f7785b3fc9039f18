import {
  isReserved,
  MalformedModuleError,
  reserved,
  rewrite,
  UnsupportedModuleError,
} from "@coppice/meter";
import { describe, expect, test } from "vitest";
import { call, plain, wat } from "./modules.ts";

describe("ceilings", () => {
  const memory = async (text: string, memoryPagesMax: number): Promise<WebAssembly.Memory> =>
    plain(rewrite(await wat(`(module (memory (export "m") ${text}))`), { memoryPagesMax }))[
      "m"
    ] as WebAssembly.Memory;

  test("a memory cannot grow beyond its ceiling", async () => {
    const grown = await memory("1", 3);
    expect(grown.grow(2)).toBe(1);
    expect(() => grown.grow(1)).toThrow(RangeError);
  });

  test("a maximum is lowered, never raised", async () => {
    const lowered = await memory("1 10", 2);
    expect(() => lowered.grow(2)).toThrow(RangeError);
    const kept = await memory("1 2", 1_000);
    expect(() => kept.grow(2)).toThrow(RangeError);
  });

  test("what starts above the ceiling keeps its start", async () => {
    const large = await memory("4", 2);
    expect(() => large.grow(1)).toThrow(RangeError);
  });

  test("a guest that asks for more is refused as the standard says", async () => {
    const text = `(module (memory 1) (table $t 1 funcref) (func (export "memory") (result i32) (memory.grow (i32.const 8)))
      (table $u 2 (ref func) (ref.func 0)) (func (export "table") (result i32) (table.grow $t (ref.null func) (i32.const 8)))
      (func (export "other") (result i32) (table.grow $u (ref.func 0) (i32.const 8))))`;
    const limits = { memoryPagesMax: 4, tableElementsMax: 4, fuel: false };
    const exports = plain(rewrite(await wat(text), limits));
    for (const name of ["memory", "table", "other"]) expect(call(exports, name)).toBe(-1);
  });

  test.for([-1, 1.5, Number.NaN])("a ceiling of %d is a mistake of the caller", async (pages) => {
    const bytes = await wat("(module)");
    expect(() => rewrite(bytes, { memoryPagesMax: pages })).toThrow(RangeError);
  });
});

test("memories, tables and mutable globals are exported under reserved names", async () => {
  const bytes =
    await wat(`(module (import "m" "g" (global $i (mut i32))) (import "m" "h" (global i32)) (memory 1) (memory 2) (table 3 funcref)
    (global (mut f64) (f64.const 1.5)) (global i32 (i32.const 1)) (func (export "own")))`);
  const shared = plain(
    await wat(
      `(module (global (export "g") (mut i32) (i32.const 9)) (global (export "h") i32 (i32.const 9)))`,
    ),
  );
  const exports = plain(rewrite(bytes, { fuel: false }), { m: shared });
  const names = Object.keys(exports).filter(isReserved).toSorted();
  expect(names).toEqual(
    ["global.0", "global.2", "memory.0", "memory.1", "table.0"].map((name) => `coppice:${name}`),
  );
  expect((exports[`${reserved.global}2`] as WebAssembly.Global).value).toBe(1.5);
  expect((exports[`${reserved.global}0`] as WebAssembly.Global).value).toBe(9);
});

describe("what cannot be metered is refused in words", () => {
  test.for([
    [`(memory i64 1)`, /64-bit memory/],
    [`(memory 1 2 shared)`, /shared memory/],
    [`(import "m" "m" (memory 1 2 shared))`, /shared memory/],
    [`(table i64 1 funcref)`, /64-bit table/],
    [`(func (export "coppice:fuel"))`, /coppice:fuel: that name is reserved/],
  ] as const)("%s", async ([text, reason]) => {
    const bytes = await wat(`(module ${text})`);
    const attempt = (): Uint8Array => rewrite(bytes, { memoryPagesMax: 10 });
    expect(attempt).toThrow(UnsupportedModuleError);
    expect(attempt).toThrow(reason);
  });

  test("bytes that are not a module", async () => {
    const component = await wat("(component)");
    expect(() => rewrite(new TextEncoder().encode("hello, world"))).toThrow(/not a core/);
    expect(() => rewrite(component)).toThrow(/not a core/);
  });

  test("a function that reaches for what is appended", async () => {
    const bytes = await wat(
      `(module (global $g (mut i32) (i32.const 0)) (func (global.set $g (i32.const 7))))`,
    );
    const at = bytes.lastIndexOf(0x24);
    bytes[at + 1] = 1; // the fuel, once it is there
    expect(() => rewrite(bytes)).toThrow(MalformedModuleError);
  });
});
