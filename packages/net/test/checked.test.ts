import { BadFrameError, decodeChecked, encodeChecked } from "@coppice/net";
import fc from "fast-check";
import { expect, test } from "vitest";

test("a value comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.integer(), fc.boolean())), (value) => {
      expect(decodeChecked(encodeChecked(value))).toEqual(value);
    }),
  );
});

test("a message with one wrong bit is refused, wherever it is", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.nat(), (value, at) => {
      const data = encodeChecked(value);
      const bit = at % (data.length * 8);
      data[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeChecked(data)).toThrow(BadFrameError);
    }),
  );
});

test("what is too short for a checksum is refused", () => {
  for (const length of [0, 1, 4])
    expect(() => decodeChecked(new Uint8Array(length))).toThrow(BadFrameError);
});
