/**
 * Errors between threads: made data here, made errors of their class there.
 *
 * @module
 */
import * as componentErrors from "../errors.ts";
import * as snapshotErrors from "../snapshot-errors.ts";
import * as wasiErrors from "../wasi/wasi-errors.ts";
import * as schedulerErrors from "./errors.ts";
import type { ErrorData } from "./thread-protocol.ts";

/** Causes of causes are kept this deep. */
const causesMax = 4;

type ErrorClass = new (...args: never[]) => Error;

const classes = new Map<string, ErrorClass>(
  [componentErrors, schedulerErrors, snapshotErrors, wasiErrors].flatMap((each) =>
    Object.values(each).map((one) => [one.name, one as unknown as ErrorClass] as const),
  ),
);

export function errorToData(thrown: unknown, depth = 0): ErrorData {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown), fields: {} };
  const { name, message, stack, cause } = thrown;
  return {
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    fields: Object.fromEntries(Object.entries(thrown)),
    ...(cause === undefined || depth >= causesMax ? {} : { cause: errorToData(cause, depth + 1) }),
  };
}

/** An error of the same class where the class is one of ours, with the stack of the thread it was thrown on. */
export function errorFromData(data: ErrorData): Error {
  const { name, message, stack, fields, cause } = data;
  const options = cause === undefined ? {} : { cause: errorFromData(cause) };
  const known = classes.get(name);
  // Not by its own constructor: that would make the message again, from parts that are not here.
  const error = Reflect.construct(Error, [message, options], known ?? Error);
  if (known === undefined) Object.defineProperty(error, "name", { value: name });
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, fields);
}
