/**
 * Checks of values against WIT types, so that nothing ill-typed enters a guest or its host.
 *
 * What is returned is the value in the form jco takes: it silently wraps numbers and ignores missing fields, so every
 * check is here. Numbers are taken for 64-bit integers, arrays for `list<u8>`, and kebab-case field names for camelCase,
 * because that is what JSON can say.
 *
 * @module
 */
import { BadArgumentError } from "./errors.ts";
import { camelCase, type Primitive, type WitFunction, type WitType } from "./wit-type.ts";

/** The arguments of a call, checked. @throws {BadArgumentError} with the path of the fault. */
export function checkedArguments(target: WitFunction, args: readonly unknown[]): unknown[] {
  const { name, params } = target;
  if (args.length !== params.length) {
    const count = `${params.length} ${params.length === 1 ? "argument" : "arguments"}`;
    throw new BadArgumentError(`${name} takes ${count}, got ${args.length}: ${target.signature}`);
  }
  return params.map(({ type }, index) =>
    checked(type, args[index], `${name} argument ${index + 1}`),
  );
}

/** One value, checked. @throws {BadArgumentError} with the path of the fault, which starts with `path`. */
export function checked(type: WitType, value: unknown, path: string): unknown {
  switch (type.kind) {
    case "primitive":
      return checkedPrimitive(type.name, value, path);
    case "list":
      return checkedList(type.of, value, path);
    case "option":
      return value === undefined || value === null ? undefined : checked(type.of, value, path);
    case "result":
      return checkedResult(type, value, path);
    case "tuple":
      if (!Array.isArray(value) || value.length !== type.items.length)
        throw bad(path, `a list of ${type.items.length} items`, value);
      return type.items.map((item, index) => checked(item, value[index], `${path}[${index}]`));
    case "record":
      return checkedRecord(type.fields, value, path);
    case "variant":
      return checkedVariant(type.cases, value, path);
    case "enum":
      if (typeof value !== "string" || !type.names.includes(value))
        throw bad(path, `one of ${type.names.join(", ")}`, value);
      return value;
    case "flags":
      return checkedFlags(type.names, value, path);
    case "opaque":
      return value;
  }
}

const integerRanges: Readonly<Partial<Record<Primitive, readonly [bigint, bigint]>>> = {
  u8: [0n, 255n],
  u16: [0n, 65_535n],
  u32: [0n, 4_294_967_295n],
  u64: [0n, (1n << 64n) - 1n],
  s8: [-128n, 127n],
  s16: [-32_768n, 32_767n],
  s32: [-2_147_483_648n, 2_147_483_647n],
  s64: [-(1n << 63n), (1n << 63n) - 1n],
};

function checkedPrimitive(name: Primitive, value: unknown, path: string): unknown {
  const range = integerRanges[name];
  if (range !== undefined) {
    const whole =
      typeof value === "bigint" || Number.isSafeInteger(value)
        ? BigInt(value as number | bigint)
        : undefined;
    if (whole === undefined || whole < range[0] || whole > range[1]) throw bad(path, name, value);
    return name === "u64" || name === "s64" ? whole : Number(whole);
  }
  if (name === "f32" || name === "f64") {
    if (typeof value !== "number") throw bad(path, name, value);
  } else if (name === "bool") {
    if (typeof value !== "boolean") throw bad(path, name, value);
  } else if (typeof value !== "string" || (name === "char" && Array.from(value).length !== 1)) {
    throw bad(path, name, value);
  }
  return value;
}

function checkedList(of: WitType, value: unknown, path: string): unknown {
  const isBytes = of.kind === "primitive" && of.name === "u8";
  if (isBytes && value instanceof Uint8Array) return value;
  const items: unknown = ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value;
  if (!Array.isArray(items)) throw bad(path, "list", value);
  const checkedItems = items.map((item, index) => checked(of, item, `${path}[${index}]`));
  return isBytes ? Uint8Array.from(checkedItems as number[]) : checkedItems;
}

function checkedResult(
  type: WitType & { readonly kind: "result" },
  value: unknown,
  path: string,
): unknown {
  const { tag, val } = fieldsOf(value, path, "result");
  if (tag !== "ok" && tag !== "err") throw bad(`${path}.tag`, "ok or err", tag);
  const of = type[tag];
  return { tag, val: of === undefined ? undefined : checked(of, val, `${path}.val`) };
}

function checkedRecord(
  fields: readonly { readonly name: string; readonly type: WitType }[],
  value: unknown,
  path: string,
): unknown {
  const given = fieldsOf(value, path, "record");
  const known = new Set(fields.flatMap(({ name }) => [name, camelCase(name)]));
  const stray = Object.keys(given).find((key) => !known.has(key));
  if (stray !== undefined)
    throw new BadArgumentError(`${path} has no field ${stray}; it has ${[...known].join(", ")}`);
  const entries = fields.map(({ name, type }) => {
    const key = camelCase(name);
    return [key, checked(type, given[key] ?? given[name], `${path}.${name}`)];
  });
  return Object.fromEntries(entries);
}

function checkedVariant(
  cases: readonly { readonly name: string; readonly type: WitType | undefined }[],
  value: unknown,
  path: string,
): unknown {
  const { tag, val } = fieldsOf(value, path, "variant");
  const found = cases.find(({ name }) => name === tag);
  if (found === undefined)
    throw bad(`${path}.tag`, `one of ${cases.map(({ name }) => name).join(", ")}`, tag);
  if (found.type === undefined) return { tag };
  return { tag, val: checked(found.type, val, `${path}.val`) };
}

function checkedFlags(names: readonly string[], value: unknown, path: string): unknown {
  const given = fieldsOf(value, path, "flags");
  const entries = names.map((name) => {
    const flag = given[camelCase(name)] ?? given[name] ?? false;
    if (typeof flag !== "boolean") throw bad(`${path}.${name}`, "bool", flag);
    return [camelCase(name), flag];
  });
  return Object.fromEntries(entries);
}

function fieldsOf(value: unknown, path: string, expected: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw bad(path, expected, value);
  return value as Record<string, unknown>;
}

/** How much of a wrong value an error shows, in characters. */
const shownLengthMax = 40;

function bad(path: string, expected: string, value: unknown): BadArgumentError {
  const kind = value === null ? "null" : Array.isArray(value) ? "list" : typeof value;
  const shown =
    typeof value === "number" || typeof value === "string" || typeof value === "bigint"
      ? `${kind} ${JSON.stringify(String(value)).slice(0, shownLengthMax)}`
      : kind;
  return new BadArgumentError(`${path}: expected ${expected}, got ${shown}`);
}
