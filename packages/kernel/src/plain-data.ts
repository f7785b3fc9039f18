/**
 * What may cross a process boundary: plain data, handed over as a copy, the same to the next process and to the next node.
 *
 * @module
 */
import { CoppiceError } from "./coppice-error.ts";
import { Pid } from "./pid.ts";

/** How deep values may nest. */
export const depthMax = 64;

/** The most one message may hold, in bytes, counted as {@link copyPlainData} says. What goes to another node has its own limit. */
export const messageBytesMax = 64 * 1024 * 1024;

/** What a value costs beside its characters or bytes. */
const slotBytes = 8;

/** What {@link flatCopy} takes can never be too large. */
const flatLengthMax = 64;
const flatStringMax = 1_024;

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

/** A message holds more than {@link messageBytesMax}. */
export class MessageTooLargeError extends CoppiceError {
  static {
    this.prototype.name = "MessageTooLargeError";
  }
  readonly code = "message_too_large";
  readonly bytesMax: number;

  constructor(what: string, bytesMax: number) {
    super(`${what} holds more than ${bytesMax} bytes: send it in parts, or send where it is kept`);
    this.bytesMax = bytesMax;
  }
}

/**
 * A copy of plain data: neither side sees what the other does to its own.
 *
 * Plain are null, undefined, booleans, numbers, bigints, strings, `Uint8Array`, `Date`, `Map`, `Set`, `Pid`, arrays and
 * plain objects of these, at most {@link depthMax} deep. Counted are a byte a character or byte, and 8 for every value;
 * a value that is reached twice is copied twice. `what` names the value in the error.
 *
 * @throws {NotPlainDataError} naming where the fault is.
 * @throws {MessageTooLargeError} beyond {@link messageBytesMax}.
 */
export function copyPlainData<T>(value: T, what: string): T {
  switch (typeof value) {
    case "object":
      if (value === null) return value;
      return (flatCopy(value) ?? new Copy(what).object(value)) as T;
    case "string":
      if (value.length <= messageBytesMax) return value;
      throw new MessageTooLargeError(what, messageBytesMax);
    case "function":
    case "symbol":
      throw new NotPlainDataError(what, `a ${typeof value}`);
    default:
      return value;
  }
}

/** The copy of a short array of simple values: what most calls carry. Undefined: it is something else. */
function flatCopy(value: object): unknown[] | undefined {
  if (value.constructor !== Array || (value as unknown[]).length > flatLengthMax) return undefined;
  const copy = (value as unknown[]).slice();
  for (const item of copy) {
    switch (typeof item) {
      case "number":
      case "boolean":
      case "undefined":
        continue;
      case "string":
        if (item.length <= flatStringMax) continue;
        return undefined;
      default:
        if (item !== null) return undefined;
    }
  }
  return copy;
}

/** Checks without copying. @throws as {@link copyPlainData}. */
export function assertPlainData(value: unknown, what: string): void {
  copyPlainData(value, what);
}

/** One walk over one message. */
class Copy {
  readonly #what: string;
  /** The way to the container that is being copied: indexes and keys. */
  readonly #path: (string | number)[] = [];
  #bytesLeft = messageBytesMax;

  constructor(what: string) {
    this.#what = what;
  }

  object(value: object): object {
    const { constructor } = value;
    if (constructor === Array) return this.#array(value as readonly unknown[]);
    if (constructor === Object) return this.#record(value as Record<string, unknown>);
    if (value instanceof Pid) return value;
    if (value instanceof Uint8Array) {
      this.#count(value.byteLength);
      return new Uint8Array(value);
    }
    if (value instanceof Date) return new Date(value.getTime());
    if (value instanceof Map) return this.#map(value);
    if (value instanceof Set) return this.#set(value);
    // A record may hold the key `constructor`, an array may come from another realm.
    if (Array.isArray(value)) return this.#array(value);
    return this.#record(value as Record<string, unknown>);
  }

  #array(value: readonly unknown[]): unknown[] {
    this.#count(value.length * slotBytes);
    const copy = value.slice();
    for (let index = 0; index < copy.length; index += 1) {
      const item = copy[index];
      if (typeof item === "number") continue;
      if (typeof item === "object" && item !== null) copy[index] = this.#nested(item, index);
      else this.#leaf(item, index);
    }
    return copy;
  }

  #record(value: Record<string, unknown>): Record<string, unknown> {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null)
      throw this.#fault(undefined, `an instance of ${className(value)}`);
    const keys = Object.keys(value);
    this.#count(keys.length * slotBytes);
    const copy: Record<string, unknown> = {};
    for (const key of keys) {
      if (key === "__proto__") throw this.#fault(key, "a reserved name");
      const item = value[key];
      if (typeof item === "object" && item !== null) copy[key] = this.#nested(item, key);
      else {
        this.#leaf(item, key);
        copy[key] = item;
      }
    }
    return copy;
  }

  #map(value: ReadonlyMap<unknown, unknown>): Map<unknown, unknown> {
    this.#count(value.size * 2 * slotBytes);
    const copy = new Map<unknown, unknown>();
    for (const [key, item] of value) {
      const at = copy.size;
      copy.set(this.#any(key, `key(${at})`), this.#any(item, `value(${at})`));
    }
    return copy;
  }

  #set(value: ReadonlySet<unknown>): Set<unknown> {
    this.#count(value.size * slotBytes);
    const copy = new Set<unknown>();
    let index = 0;
    for (const item of value) {
      copy.add(this.#any(item, `item(${index})`));
      index += 1;
    }
    return copy;
  }

  #any(item: unknown, step: string | number): unknown {
    if (typeof item === "object" && item !== null) return this.#nested(item, step);
    this.#leaf(item, step);
    return item;
  }

  #nested(value: object, step: string | number): object {
    this.#path.push(step);
    if (this.#path.length >= depthMax)
      throw this.#fault(undefined, `nested deeper than ${depthMax} levels or a cycle`);
    const copy = this.object(value);
    this.#path.pop();
    return copy;
  }

  #leaf(item: unknown, step: string | number): void {
    if (typeof item === "string") this.#count(item.length);
    else if (typeof item === "function" || typeof item === "symbol")
      throw this.#fault(step, `a ${typeof item}`);
  }

  #count(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) throw new MessageTooLargeError(this.#what, messageBytesMax);
  }

  #fault(step: string | number | undefined, what: string): NotPlainDataError {
    const steps = step === undefined ? this.#path : [...this.#path, step];
    const path = steps
      .map((each) => (typeof each === "number" ? `[${each}]` : `.${each}`))
      .join("");
    return new NotPlainDataError(`${this.#what}${path}`, what);
  }
}

function className(value: object): string {
  const { constructor } = value as { constructor?: { name?: unknown } };
  return typeof constructor?.name === "string" && constructor.name !== ""
    ? constructor.name
    : "a class";
}
