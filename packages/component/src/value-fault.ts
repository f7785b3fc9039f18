/**
 * A value that does not fit its type, with the way to it.
 *
 * @module
 */

/** Thrown by the check of a part; what contains it adds its own step in front. */
export class ValueFault extends Error {
  static {
    this.prototype.name = "ValueFault";
  }
  /** `[2].point.x` */
  path = "";
  readonly what: string;

  constructor(what: string) {
    super(what);
    this.what = what;
  }
}

/** The same fault, one step further out. */
export function within(step: string, thrown: unknown): unknown {
  if (thrown instanceof ValueFault) thrown.path = step + thrown.path;
  return thrown;
}

export function expected(what: string, value: unknown): ValueFault {
  return new ValueFault(`expected ${what}, got ${shown(value)}`);
}

/** How much of a wrong text an error shows, in characters. */
const shownLengthMax = 40;

/** A wrong value, for people. */
function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(
        value.length > shownLengthMax ? `${value.slice(0, shownLengthMax)}...` : value,
      );
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `a list of ${value.length}`;
      return value instanceof Uint8Array ? `${value.length} bytes` : "an object";
    default:
      return `a ${typeof value}`;
  }
}
