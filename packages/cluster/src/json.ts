/**
 * Values as JSON and back, for those who do not speak msgpack.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { depthMax } from "@coppice/kernel";

/**
 * JSON of any plain data: a bigint is a number while it is exact and a string beyond, bytes are a list of numbers, a
 * map is a list of pairs, a set a list, no value `null`.
 */
export function toJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value, replace) ?? "null");
}

/**
 * @throws {SyntaxError} if it is not JSON.
 * @throws {RangeError} if it nests deeper than {@link depthMax}: told before it costs memory.
 */
export function fromJson(bytes: Uint8Array): unknown {
  assertShallow(bytes);
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}

const [quote, backslash, openList, closeList, openRecord, closeRecord] = Buffer.from('"\\[]{}');

function assertShallow(bytes: Uint8Array): void {
  let depth = 0;
  let isInText = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === quote) isInText = !isInText;
    else if (isInText) {
      if (byte === backslash) index += 1;
    } else if (byte === openList || byte === openRecord) {
      depth += 1;
      if (depth > depthMax) throw new RangeError(`it nests deeper than ${depthMax} levels`);
    } else if (byte === closeList || byte === closeRecord) depth -= 1;
  }
}

function replace(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === "bigint")
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  // A Buffer has been turned into an object by its own toJSON before it gets here.
  const own = (this as Record<string, unknown>)[key];
  if (own instanceof Uint8Array) return [...own];
  if (value instanceof Map || value instanceof Set) return [...value];
  return value;
}
