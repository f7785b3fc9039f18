import { escapeToken, subjectMatches, Subjects, tokenLengthMax, unescapeToken } from "@coppice/net";
import fc from "fast-check";
import { expect, test } from "vitest";

test("any text becomes one token and comes back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), (text) => {
      fc.pre(3 * Buffer.byteLength(text) <= tokenLengthMax); // One character may be many code points.
      const token = escapeToken(text);
      expect(token).toMatch(/^[A-Za-z0-9_=-]+$/);
      expect(unescapeToken(token)).toBe(text);
    }),
  );
});

test("two different texts never share a token", () => {
  expect(escapeToken("a.b")).toBe("a=2Eb");
  for (const token of ["a=2eb", "a=41", "=ZZ", "a b", "", "=FF"])
    expect(unescapeToken(token)).toBeUndefined();
});

test("half a character is refused: two names would share a token", () => {
  for (const text of ["\ud800", "a\udfff", "\udc00\ud800"])
    expect(() => escapeToken(text)).toThrow(/is not well-formed/);
  expect(escapeToken("\ufffd")).toBe("=EF=BF=BD");
});

test("a name that is too long is refused", () => {
  expect(() => escapeToken(".".repeat(100))).toThrow(/too long: 300 characters of at most 200/);
});

test("a call subject names the process and the function", () => {
  const subjects = new Subjects("demo");
  expect(subjects.call("chat-room", "add-message")).toBe(
    "coppice.v1.demo.call.chat-room.add-message",
  );
  expect(subjects.parseCall(subjects.call("a.b", "c d"))).toEqual({ name: "a.b", method: "c d" });
  for (const subject of ["coppice.v1.demo.call.x", "coppice.v1.demo.call.x.y.z", "other.x.y"])
    expect(subjects.parseCall(subject)).toBeUndefined();
});

test.for([
  ["a.b", "a.b", true],
  ["a.*", "a.b", true],
  ["a.*", "a.b.c", false],
  ["a.>", "a.b.c", true],
  ["a.>", "a", false],
  ["*.b", "a.c", false],
] as const)("pattern %s, subject %s: %s", ([pattern, subject, expected]) => {
  expect(subjectMatches(pattern, subject)).toBe(expected);
});
