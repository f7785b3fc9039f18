/**
 * WIT values: checked on their way to jco's code, and given their documented form on the way back.
 *
 * Every type is compiled once to a pair of functions. jco itself wraps numbers and ignores missing fields, so every check
 * is here: nothing ill-typed enters a guest. What JSON cannot say is taken leniently: whole numbers for 64-bit integers,
 * lists of numbers for `list<u8>`, and field names in kebab-case as well as in camelCase.
 *
 * @module
 */
import { primitiveCodecs } from "./primitive-codec.ts";
import { expected, ValueFault, within } from "./value-fault.ts";
import {
  camelCase,
  mayBeUndefined,
  type WitField,
  type WitResource,
  type WitType,
} from "./wit-type.ts";

/** What turns handles into jco's objects and back, for one call. */
export interface HandleContext {
  /** @throws {ValueFault} if it is no live handle of that resource. */
  readonly lower: (kind: "own" | "borrow", resource: WitResource, value: unknown) => unknown;
  readonly lift: (kind: "own" | "borrow", resource: WitResource, object: unknown) => unknown;
}

/** How values of one type are converted. */
export interface Codec {
  /** From its documented form to jco's. @throws {ValueFault} */
  readonly lower: (value: unknown, handles: HandleContext) => unknown;
  /** From jco's form to the documented one; undefined where they are the same. */
  readonly lift?: (value: unknown, handles: HandleContext) => unknown;
}

const compiled = new WeakMap<WitType, Codec>();

/** The codec of a type, made once. */
export function codecOf(type: WitType): Codec {
  const known = compiled.get(type);
  if (known !== undefined) return known;
  const codec = compile(type);
  compiled.set(type, codec);
  return codec;
}

function compile(type: WitType): Codec {
  switch (type.kind) {
    case "primitive":
      return primitiveCodecs[type.name];
    case "list":
      return listCodec(type);
    case "option":
      return optionCodec(type.of);
    case "result":
      return taggedCodec("result", [
        { name: "ok", type: type.ok },
        { name: "err", type: type.err },
      ]);
    case "tuple":
      return tupleCodec(type.items);
    case "record":
      return recordCodec(type.fields);
    case "variant":
      return taggedCodec("variant", type.cases);
    case "enum":
      return enumCodec(type.names);
    case "flags":
      return flagsCodec(type.names);
    case "own":
    case "borrow": {
      const { kind, resource } = type;
      return {
        lower: (value, handles) => handles.lower(kind, resource, value),
        lift: (value, handles) => handles.lift(kind, resource, value),
      };
    }
    case "async":
      return { lower: (value) => value };
  }
}

function listCodec({ of, length }: WitType & { readonly kind: "list" }): Codec {
  const item = codecOf(of);
  const isBytes = of.kind === "primitive" && of.name === "u8";
  const what = length === undefined ? "a list" : `a list of ${length}`;
  const lower: Codec["lower"] = (value, handles) => {
    if (isBytes && value instanceof Uint8Array) {
      if (length !== undefined && value.length !== length) throw expected(what, value);
      return value;
    }
    if (!Array.isArray(value) || (length !== undefined && value.length !== length))
      throw expected(isBytes ? "bytes" : what, value);
    const lowered = lowerItems(value, item, handles);
    return isBytes ? Uint8Array.from(lowered as number[]) : lowered;
  };
  if (isBytes && length === undefined) return { lower };
  if (isBytes) return { lower, lift: (value) => Uint8Array.from(value as ArrayLike<number>) };
  const { lift } = item;
  return {
    lower,
    lift: (value, handles) => {
      const items = Array.isArray(value) ? value : Array.from(value as ArrayLike<unknown>);
      return lift === undefined ? items : items.map((each: unknown) => lift(each, handles));
    },
  };
}

function lowerItems(
  items: readonly unknown[],
  { lower }: Codec,
  handles: HandleContext,
): unknown[] {
  const lowered: unknown[] = [];
  let index = 0;
  try {
    for (; index < items.length; index += 1) lowered.push(lower(items[index], handles));
  } catch (thrown) {
    throw within(`[${index}]`, thrown);
  }
  return lowered;
}

/** An option of what may be undefined is tagged, since `undefined` could not tell which of the two is none. */
function optionCodec(of: WitType): Codec {
  if (mayBeUndefined(of))
    return taggedCodec("option", [
      { name: "none", type: undefined },
      { name: "some", type: of },
    ]);
  const { lower, lift } = codecOf(of);
  const isNone = (value: unknown): boolean => value === undefined || value === null;
  return {
    lower: (value, handles) => (isNone(value) ? undefined : lower(value, handles)),
    ...(lift && {
      lift: (value, handles) => (isNone(value) ? undefined : lift(value, handles)),
    }),
  };
}

function tupleCodec(items: readonly WitType[]): Codec {
  const codecs = items.map(codecOf);
  const lower: Codec["lower"] = (value, handles) => {
    if (!Array.isArray(value) || value.length !== codecs.length)
      throw expected(`a list of ${codecs.length}`, value);
    let index = 0;
    const lowered: unknown[] = [];
    try {
      for (; index < codecs.length; index += 1)
        lowered.push(codecs[index]!.lower(value[index], handles));
    } catch (thrown) {
      throw within(`[${index}]`, thrown);
    }
    return lowered;
  };
  if (codecs.every(({ lift }) => lift === undefined)) return { lower };
  return {
    lower,
    lift: (value, handles) =>
      codecs.map(({ lift }, index) => {
        const item = (value as readonly unknown[])[index];
        return lift === undefined ? item : lift(item, handles);
      }),
  };
}

interface CompiledField {
  readonly name: string;
  readonly key: string;
  readonly optional: boolean;
  readonly codec: Codec;
}

function recordCodec(fields: readonly WitField[]): Codec {
  const compiledFields = fields.map(({ name, type }): CompiledField => {
    const optional = mayBeUndefined(type);
    return { name, key: camelCase(name), optional, codec: codecOf(type) };
  });
  const known = new Set(compiledFields.flatMap(({ name, key }) => [name, key]));
  const lower: Codec["lower"] = (value, handles) => {
    const given = objectOf(value, "a record");
    checkFields(given, compiledFields, known);
    const lowered: Record<string, unknown> = {};
    for (const { name, key, codec } of compiledFields) {
      try {
        lowered[key] = codec.lower(given[key] ?? given[name], handles);
      } catch (thrown) {
        throw within(`.${key}`, thrown);
      }
    }
    return lowered;
  };
  const lifted = compiledFields.filter(({ codec }) => codec.lift !== undefined);
  if (lifted.length === 0) return { lower };
  return {
    lower,
    lift: (value, handles) => {
      const record = { ...(value as Record<string, unknown>) };
      for (const { key, codec } of lifted) record[key] = codec.lift!(record[key], handles);
      return record;
    },
  };
}

function checkFields(
  given: Readonly<Record<string, unknown>>,
  fields: readonly CompiledField[],
  known: ReadonlySet<string>,
): void {
  const has = (): string => fields.map(({ key }) => key).join(", ");
  for (const key of Object.keys(given))
    if (!known.has(key)) throw new ValueFault(`unknown field ${key}; it has ${has()}`);
  const missing = fields.filter(
    ({ name, key, optional }) => !optional && given[key] === undefined && given[name] === undefined,
  );
  if (missing.length > 0) {
    const names = missing.map(({ key }) => key).join(", ");
    throw new ValueFault(`missing ${missing.length === 1 ? "field" : "fields"} ${names}`);
  }
}

/** Variants, results and options of options: `{ tag, val }`, without `val` where the case carries nothing. */
function taggedCodec(
  what: string,
  cases: readonly { readonly name: string; readonly type: WitType | undefined }[],
): Codec {
  const byTag = new Map(
    cases.map(({ name, type }) => [name, type === undefined ? undefined : codecOf(type)]),
  );
  const tags = cases.map(({ name }) => name).join(", ");
  const lower: Codec["lower"] = (value, handles) => {
    const { tag, val, ...stray } = objectOf(value, `${what} ({ tag, val })`);
    if (typeof tag !== "string" || !byTag.has(tag))
      throw within(".tag", expected(`one of ${tags}`, tag));
    const [unknown] = Object.keys(stray);
    if (unknown !== undefined) throw new ValueFault(`unknown field ${unknown}; it has tag, val`);
    const codec = byTag.get(tag);
    if (codec === undefined) {
      if (val !== undefined && val !== null)
        throw within(".val", expected(`nothing, as ${tag} carries nothing`, val));
      return { tag, val: undefined };
    }
    try {
      return { tag, val: codec.lower(val, handles) };
    } catch (thrown) {
      throw within(".val", thrown);
    }
  };
  return {
    lower,
    lift: (value, handles) => {
      const { tag, val } = value as { readonly tag: string; readonly val?: unknown };
      const codec = byTag.get(tag);
      if (codec === undefined) return { tag };
      return { tag, val: codec.lift === undefined ? val : codec.lift(val, handles) };
    },
  };
}

function enumCodec(names: readonly string[]): Codec {
  const known = new Set<unknown>(names);
  return {
    lower: (value) => {
      if (!known.has(value)) throw expected(`one of ${names.join(", ")}`, value);
      return value;
    },
  };
}

function flagsCodec(names: readonly string[]): Codec {
  const flags = names.map((name) => ({ name, key: camelCase(name) }));
  const known = new Set(flags.flatMap(({ name, key }) => [name, key]));
  return {
    lower: (value) => {
      const given = objectOf(value, "flags");
      for (const key of Object.keys(given)) {
        if (known.has(key)) continue;
        throw new ValueFault(
          `unknown flag ${key}; it has ${flags.map((each) => each.key).join(", ")}`,
        );
      }
      const lowered: Record<string, boolean> = {};
      for (const { name, key } of flags) {
        const flag = given[key] ?? given[name] ?? false;
        if (typeof flag !== "boolean") throw within(`.${key}`, expected("bool", flag));
        lowered[key] = flag;
      }
      return lowered;
    },
  };
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (
    typeof value !== "object" ||
    value === null ||
    Array.isArray(value) ||
    ArrayBuffer.isView(value)
  )
    throw expected(what, value);
  return value as Record<string, unknown>;
}
