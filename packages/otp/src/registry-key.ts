/**
 * How a registry compares keys: by value and strictly.
 *
 * `1`, `"1"`, `1n` and `true` are four keys. Two structured keys are one key when they hold equal parts: arrays in order,
 * records, `Map` and `Set` in any order, `Pid`, `Date` and `Uint8Array` by their content. `0` and `-0` are one key, and
 * so are two `NaN`. No key has a special meaning.
 *
 * @module
 */
import { assertPlainData, Pid } from "@coppice/kernel";

/** What stands for a key in a `Map`: two keys are equal when these are. */
export type KeyId = string | number | bigint | boolean | null | undefined;

/** The most characters a key may have, a structured one in the text that stands for it. */
export const registryKeyLengthMax = 4_096;

/** Begins the text of a structured key, so that no string key can be mistaken for one. */
const mark = "\u0000";

/**
 * What stands for this key.
 *
 * @throws {NotPlainDataError} if it holds a function, a symbol, a class instance or a cycle.
 * @throws {RangeError} if it is longer than {@link registryKeyLengthMax}.
 */
export function keyId(key: unknown): KeyId {
  if (typeof key === "string")
    return checkLength(key.startsWith(mark) ? `${mark}${text(key)}` : key);
  if (typeof key === "object" && key !== null) {
    assertPlainData(key, "key");
    return checkLength(`${mark}${text(key)}`);
  }
  assertPlainData(key, "key");
  return Number.isNaN(key) ? `${mark}NaN` : (key as KeyId); // So that ids can be compared with ===.
}

function checkLength(id: string): string {
  if (id.length <= registryKeyLengthMax) return id;
  throw new RangeError(
    `a key may have at most ${registryKeyLengthMax} characters, this one has ${id.length}`,
  );
}

/** A text that differs for values that differ. */
function text(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? "null" : objectText(value);
    default:
      return String(value);
  }
}

function objectText(value: object): string {
  if (Array.isArray(value)) return `[${Array.from(value, text).join()}]`;
  if (value instanceof Pid) return `pid ${text(value.toString())}`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Uint8Array) return `bytes ${value.join()};`;
  if (value instanceof Map)
    return `map {${inOrder([...value].map(([key, item]) => `${text(key)}:${text(item)}`))}}`;
  if (value instanceof Set) return `set {${inOrder([...value].map(text))}}`;
  return `{${inOrder(Object.entries(value).map(([key, item]) => `${text(key)}:${text(item)}`))}}`;
}

function inOrder(parts: readonly string[]): string {
  return parts.toSorted().join();
}
