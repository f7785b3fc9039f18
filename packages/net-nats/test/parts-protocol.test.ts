import { BadFrameError, partedBytesMax } from "@coppice/net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, Parts, partsMsMax, waitingBytesMax } from "../src/parts-protocol.ts";

const part = (message: string, index: number, count: number): string =>
  `${message} ${index} ${count}`;

test("what was cut comes back whole, whatever else arrives between", () => {
  const data = fc.uint8Array({ minLength: 1_025, maxLength: 20_000 });
  fc.assert(
    fc.property(data, data, fc.integer({ min: 1_024, max: 4_000 }), (a, b, payload) => {
      const parts = new Parts();
      const pieces = { a: cut(a, payload), b: cut(b, payload) };
      fc.pre(pieces.a.length > 1 && pieces.b.length > 1);
      const whole: Uint8Array[] = [];
      for (let index = 0; index < Math.max(pieces.a.length, pieces.b.length); index += 1)
        for (const name of ["a", "b"] as const) {
          const piece = pieces[name][index];
          if (piece === undefined) continue;
          const result = parts.add("1", part(name, index, pieces[name].length), piece, 0);
          if (result !== undefined) whole.push(result);
        }
      const texts = (all: readonly Uint8Array[]) => all.map((each) => each.join()).toSorted();
      expect(texts(whole)).toEqual(texts([a, b]));
      expect(parts.bytes).toBe(0);
    }),
  );
});

test("a part that is missing or doubled drops its message, and nothing of it stays", () => {
  const parts = new Parts();
  const data = new Uint8Array(10);
  parts.add("1", part("m", 0, 3), data, 0);
  expect(() => parts.add("1", part("m", 2, 3), data, 0)).toThrow(BadFrameError);
  expect(() => parts.add("1", part("m", 1, 3), data, 0)).toThrow(BadFrameError);
  expect(parts.bytes).toBe(0);
});

test("a message whose parts take too long is dropped", () => {
  const parts = new Parts();
  parts.add("1", part("m", 0, 2), new Uint8Array(10), 0);
  expect(() => parts.add("1", part("m", 1, 2), new Uint8Array(10), partsMsMax + 1)).toThrow(
    BadFrameError,
  );
});

test("what waits is bounded: for one message, and for all", () => {
  const parts = new Parts();
  const piece = new Uint8Array(1 << 20);
  for (let message = 0; message < 200; message += 1)
    parts.add("1", part(`m${message}`, 0, 2), piece, 0);
  expect(parts.bytes).toBe(waitingBytesMax);
  const add = (): void => {
    for (let index = 0; index * piece.length <= partedBytesMax; index += 1)
      parts.add("1", part("large", index, 100), piece, 0);
  };
  expect(add).toThrow(/has more than 16777216 bytes/);
});

test.for(["", "m", "m 0", "m 0 1", "m 2 2", "m -1 2", "m 0 999999", `${"m".repeat(65)} 0 2`])(
  "a malformed header is refused: %s",
  (header) => {
    expect(() => new Parts().add("1", header, new Uint8Array(1), 0)).toThrow(BadFrameError);
  },
);
