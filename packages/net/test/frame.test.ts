import { BadFrameError, decodeFrames, encodeFrame, UnsupportedVersionError } from "@coppice/net";
import fc from "fast-check";
import { expect, test } from "vitest";

const frames = fc.array(
  fc.record({ kind: fc.nat({ max: 255 }), body: fc.uint8Array().map((body) => Buffer.from(body)) }),
);

test("frames in one message come back in order", () => {
  fc.assert(
    fc.property(frames, (each) => {
      expect(decodeFrames(Buffer.concat(each.map(encodeFrame)))).toEqual(each);
    }),
  );
});

test("a changed byte is never accepted as another body", () => {
  const body = fc.uint8Array({ minLength: 1 });
  fc.assert(
    fc.property(body, fc.nat(), fc.integer({ min: 1, max: 255 }), (each, at, flip) => {
      const frame = encodeFrame({ kind: 1, body: each });
      frame[at % frame.length]! ^= flip;
      try {
        expect(decodeFrames(frame).map((decoded) => [...decoded.body])).toEqual([[...each]]);
      } catch (thrown) {
        const typed = thrown instanceof BadFrameError || thrown instanceof UnsupportedVersionError;
        if (!typed) throw thrown;
      }
    }),
  );
});

test("a frame of another version says so", () => {
  const frame = encodeFrame({ kind: 1, body: new Uint8Array() });
  frame[0] = 9;
  expect(() => decodeFrames(frame)).toThrow(/version 9 arrived, this node speaks 1/);
});
