/**
 * What may cross a process boundary: plain data, checked the same for the next process and the next node.
 *
 * @module
 */
import { CoppiceError } from "./errors.ts";
import { Pid } from "./pid.ts";

/** How deep values may nest. */
export const depthMax = 64;

/** A value that cannot cross a process boundary: a function, a symbol, a class instance, a cycle, or too deep. */
export class NotPlainDataError extends CoppiceError {
  static {
    this.prototype.name = "NotPlainDataError";
  }
  readonly code = "not_plain_data";
  /** Where in the value, such as `args[0].x`. */
  readonly path: string;

  constructor(path: string, what: string) {
    super(`${path} is ${what}, which cannot cross a process boundary: send plain data`);
    this.path = path;
  }
}

/**
 * Accepts null, undefined, booleans, numbers, bigints, strings, `Uint8Array`, `Date`, `Map`, `Set`, `Pid`, arrays and
 * plain objects of these, at most {@link depthMax} deep. `what` names the value in the error.
 *
 * @throws {NotPlainDataError} naming where the fault is.
 */
export function assertPlainData(value: unknown, what: string): void {
  check(value, what, 0);
}

function check(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case "function":
    case "symbol":
      throw new NotPlainDataError(path, `a ${typeof value}`);
    case "object":
      if (value !== null) checkObject(value, path, depth);
  }
}

function checkObject(value: object, path: string, depth: number): void {
  if (depth >= depthMax)
    throw new NotPlainDataError(path, `nested deeper than ${depthMax} levels or a cycle`);
  const next = depth + 1;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1)
      check(value[index], `${path}[${index}]`, next);
  } else if (value instanceof Map) {
    let index = 0;
    for (const [key, item] of value) {
      check(key, `${path}.key(${index})`, next);
      check(item, `${path}.value(${index})`, next);
      index += 1;
    }
  } else if (value instanceof Set) {
    let index = 0;
    for (const item of value) {
      check(item, `${path}.item(${index})`, next);
      index += 1;
    }
  } else if (!(value instanceof Uint8Array || value instanceof Date || value instanceof Pid)) {
    checkRecord(value, path, next);
  }
}

function checkRecord(value: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const { name = "a class" } = (value as { constructor?: { name?: string } }).constructor ?? {};
    throw new NotPlainDataError(path, `an instance of ${name}`);
  }
  for (const key of Object.keys(value)) {
    if (key === "__proto__") throw new NotPlainDataError(`${path}.__proto__`, "a reserved name");
    check((value as Record<string, unknown>)[key], `${path}.${key}`, depth);
  }
}
