/**
 * Arbitrary WIT types, each with arbitrary values in the documented form.
 *
 * @module
 */
import fc from "fast-check";

/** A type as WIT writes it, the definitions it needs, and what its values are. */
export interface TypedValues {
  readonly text: string;
  readonly definitions: readonly string[];
  readonly values: fc.Arbitrary<unknown>;
  /** Whether a value may be undefined. */
  readonly maybeUndefined?: boolean;
  /** How a failure shows it. */
  readonly [fc.toStringMethod]: () => string;
}

const scalar = (text: string, values: fc.Arbitrary<unknown>): TypedValues => ({
  text,
  definitions: [],
  values,
  [fc.toStringMethod]: () => text,
});

const integer = (bits: number, signed: boolean): fc.Arbitrary<number> =>
  signed
    ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
    : fc.integer({ min: 0, max: 2 ** bits - 1 });

const character = fc
  .integer({ min: 0, max: 0x10_ffff - 0x800 })
  .map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800));

/** Every type without parts, and lists of bytes and of fixed length. */
export const scalars: readonly TypedValues[] = [
  scalar("bool", fc.boolean()),
  scalar("u8", integer(8, false)),
  scalar("u16", integer(16, false)),
  scalar("u32", integer(32, false)),
  scalar("u64", fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
  scalar("s8", integer(8, true)),
  scalar("s16", integer(16, true)),
  scalar("s32", integer(32, true)),
  scalar("s64", fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })),
  scalar("f32", fc.float()),
  scalar("f64", fc.double()),
  scalar("char", character),
  scalar("string", fc.string({ unit: "binary" })),
  scalar("list<u8>", fc.uint8Array()),
  scalar("list<u8, 4>", fc.uint8Array({ minLength: 4, maxLength: 4 })),
  scalar("list<string, 2>", fc.tuple(fc.string(), fc.string())),
];

let definitionCount = 0;
const nextName = (): string => `d${(definitionCount += 1)}`;

/** Names in kebab-case, and what they are in TypeScript. */
const fieldNames = ["id", "unit-price", "is-on", "x9-y", "last-name"] as const;
const fieldKeys = ["id", "unitPrice", "isOn", "x9Y", "lastName"] as const;

function record(parts: readonly TypedValues[]): TypedValues {
  const name = nextName();
  const fields = parts.map(({ text }, index) => `${fieldNames[index]}: ${text}`).join(", ");
  const values = fc.record(
    Object.fromEntries(parts.map((part, index) => [fieldKeys[index]!, part.values])),
    { noNullPrototype: true },
  );
  return define(name, `record ${name} { ${fields} }`, parts, values);
}

function variant(parts: readonly TypedValues[]): TypedValues {
  const name = nextName();
  const cases = parts.map(({ text }, index) => `case-${index}(${text})`);
  const values = fc.oneof(
    fc.constant({ tag: "nothing" }),
    ...parts.map((part, index) => tagged(`case-${index}`, part.values)),
  );
  return define(name, `variant ${name} { nothing, ${cases.join(", ")} }`, parts, values);
}

function result(parts: readonly TypedValues[], shape: number): TypedValues {
  const [ok, err = ok] = parts;
  const texts = [
    `result<${ok!.text}, ${err!.text}>`,
    `result<_, ${err!.text}>`,
    `result<${ok!.text}>`,
  ];
  const bare = (tag: string): fc.Arbitrary<unknown> => fc.constant({ tag });
  const values = fc.oneof(
    shape === 1 ? bare("ok") : tagged("ok", ok!.values),
    shape === 2 ? bare("err") : tagged("err", err!.values),
  );
  return combine(texts[shape]!, parts, values);
}

function option(part: TypedValues): TypedValues {
  const values = part.maybeUndefined
    ? fc.oneof(fc.constant({ tag: "none" }), tagged("some", part.values))
    : fc.oneof(fc.constant(undefined), part.values);
  return {
    ...combine(`option<${part.text}>`, [part], values),
    maybeUndefined: part.maybeUndefined !== true,
  };
}

function flags(count: number): TypedValues {
  const name = nextName();
  const names = Array.from({ length: count }, (_, index) => `f${index}-on`);
  const values = fc.record(
    Object.fromEntries(names.map((_, index) => [`f${index}On`, fc.boolean()])),
    {
      noNullPrototype: true,
    },
  );
  return define(name, `flags ${name} { ${names.join(", ")} }`, [], values);
}

function enumeration(count: number): TypedValues {
  const name = nextName();
  const names = Array.from({ length: count }, (_, index) => `case-${index}`);
  return define(name, `enum ${name} { ${names.join(", ")} }`, [], fc.constantFrom(...names));
}

function tagged(tag: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return values.map((val) => ({ tag, val }));
}

function combine(
  text: string,
  parts: readonly TypedValues[],
  values: fc.Arbitrary<unknown>,
): TypedValues {
  const definitions = parts.flatMap((part) => part.definitions);
  return { text, definitions, values, [fc.toStringMethod]: () => text };
}

function define(
  name: string,
  definition: string,
  parts: readonly TypedValues[],
  values: fc.Arbitrary<unknown>,
): TypedValues {
  const whole = combine(name, parts, values);
  const definitions = [...whole.definitions, definition];
  return { ...whole, definitions, [fc.toStringMethod]: () => definition };
}

/** Any type, nested at most so deep. */
export function anyType(depth: number): fc.Arbitrary<TypedValues> {
  const leaf = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...scalars) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 32 }).map(flags) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 300 }).map(enumeration) },
  );
  if (depth === 0) return leaf;
  const part = anyType(depth - 1);
  const parts = fc.array(part, { minLength: 1, maxLength: fieldNames.length });
  return fc.oneof(
    leaf,
    parts.map(record),
    parts.map(variant),
    parts.map((each) =>
      combine(
        `tuple<${each.map(({ text }) => text).join(", ")}>`,
        each,
        fc.tuple(...each.map(({ values }) => values)),
      ),
    ),
    fc.tuple(parts, fc.integer({ min: 0, max: 2 })).map(([each, shape]) => result(each, shape)),
    part.map(option),
    part
      .filter(({ text }) => text !== "u8")
      .map((each) =>
        combine(`list<${each.text}>`, [each], fc.array(each.values, { maxLength: 5 })),
      ),
  );
}
