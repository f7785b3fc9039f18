import { limitMemory, MeterError } from "@coppice/meter";
import { expect, test } from "vitest";

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const exported = [0x07, 0x05, 0x01, 0x01, 0x6d, 0x02, 0x00]; // (export "m" (memory 0))

function moduleWith(limits: readonly number[]): Uint8Array {
  return Uint8Array.from([...header, 0x05, limits.length + 1, 0x01, ...limits, ...exported]);
}

async function memoryOf(bytes: Uint8Array): Promise<WebAssembly.Memory> {
  const { instance } = await WebAssembly.instantiate(bytes);
  return instance.exports["m"] as WebAssembly.Memory;
}

test("a memory without a maximum cannot grow beyond the ceiling", async () => {
  const memory = await memoryOf(limitMemory(moduleWith([0x00, 0x01]), 3));
  expect(memory.grow(2)).toBe(1);
  expect(() => memory.grow(1)).toThrow(RangeError);
});

test("a maximum is lowered, never raised", async () => {
  const lowered = await memoryOf(limitMemory(moduleWith([0x01, 0x01, 0x0a]), 2));
  expect(() => lowered.grow(2)).toThrow(RangeError);
  const kept = await memoryOf(limitMemory(moduleWith([0x01, 0x01, 0x02]), 1_000));
  expect(() => kept.grow(2)).toThrow(RangeError);
});

test("a memory that starts above the ceiling keeps its start", async () => {
  const memory = await memoryOf(limitMemory(moduleWith([0x00, 0x04]), 2));
  expect(() => memory.grow(1)).toThrow(RangeError);
});

test("a module without a memory stays byte for byte", () => {
  const bytes = Uint8Array.from([...header, 0x00, 0x02, 0x01, 0x78]);
  expect(limitMemory(bytes, 1)).toEqual(bytes);
});

test("what is not a whole core module is refused", () => {
  const whole = moduleWith([0x00, 0x01]);
  for (let length = 0; length < whole.length - exported.length; length += 1) {
    if (length === header.length) continue; // A module with no sections at all.
    expect(() => limitMemory(whole.subarray(0, length), 1)).toThrow(MeterError);
  }
  expect(() => limitMemory(new TextEncoder().encode("hello, world"), 1)).toThrow(/not a core/);
});
