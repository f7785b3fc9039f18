import { NotPlainDataError, Pid } from "@coppice/kernel";
import { BadFrameError, decode, encode } from "@coppice/net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double().map((number) => (Object.is(number, -0) ? 0 : number)),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.date({ noInvalidDate: true }),
  fc.nat().map((serial) => new Pid("nöde a", "i1", serial)),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("any")),
    fc.array(fc.tuple(tie("any"), tie("any"))).map((entries) => new Map(entries)),
    fc.array(tie("any")).map((items) => new Set(items)),
    fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      tie("any"),
      { noNullPrototype: true },
    ),
  ),
})).any;

describe("the codec", () => {
  test("decodes what it encoded to an equal value", () => {
    fc.assert(
      fc.property(value, (each) => {
        expect(decode(encode(each))).toEqual(each);
      }),
    );
  });

  test("keeps a Map, a Set and a record apart", () => {
    const each = { record: { a: 1 }, map: new Map([["a", 1]]), set: new Set(["a"]), list: ["a"] };
    expect(decode(encode(each))).toEqual(each);
  });

  test.for([
    [() => 1, "value is a function"],
    [{ x: [Symbol("s")] }, "value.x[0] is a symbol"],
    [new Map([["k", new Error("e")]]), "value.value(0) is an instance of Error"],
    [JSON.parse('{"__proto__": 1}'), "value.__proto__ is a reserved name"],
  ] as const)("refuses what is not plain data: %s", ([each, message]) => {
    expect(() => encode(each)).toThrow(NotPlainDataError);
    expect(() => encode(each)).toThrow(message);
  });

  test("refuses a cycle", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => encode(cycle)).toThrow(NotPlainDataError);
  });
});

describe("hostile bytes", () => {
  test("end in a BadFrameError or a value, never in anything else", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(value, fc.nat(), fc.nat({ max: 255 })).map(([each, at, byte]) => {
        const encoded = Uint8Array.from(encode(each));
        encoded[at % encoded.length] = byte;
        return encoded;
      }),
    );
    fc.assert(
      fc.property(bytes, (each) => {
        try {
          decode(each);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(BadFrameError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.for([
    ["a container that claims more than there is", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["nesting without end", Array.from({ length: 1_000 }, () => 0x91)],
    ["an unknown extension", [0xd4, 0x70, 0x00]],
    ["a record definition of msgpackr", [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01]],
    ["trailing bytes", [0x01, 0x02]],
    ["nothing", []],
  ] as const)("%s is refused", ([, bytes]) => {
    expect(() => decode(Uint8Array.from(bytes))).toThrow(BadFrameError);
  });

  test("more bytes than allowed are refused", () => {
    expect(() =>
      decode(encode("x".repeat(100)), { bytesMax: 50, itemsMax: 10, elementsMax: 10 }),
    ).toThrow(/102 bytes are more than the 50 allowed/);
  });
});
