/**
 * Plain data as bytes and back: msgpack, with extensions for `Map`, `Set` and `Pid`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assertPlainData, CoppiceError, Pid } from "@coppice/kernel";
import { addExtension, Packr, RESET_BUFFER_MODE, REUSE_BUFFER_MODE } from "msgpackr/pack"; // Without the native string reader: it takes twice as long for strings of 4 KB.
import {
  assertDecodable,
  BadFrameError,
  type DecodeLimits,
  decodeLimitsDefault,
  extensionTypes,
  type Range,
} from "./frame-limits.ts";

/** A value is larger than others accept. */
export class ValueTooLargeError extends CoppiceError {
  static {
    this.prototype.name = "ValueTooLargeError";
  }
  readonly code = "value_too_large";

  constructor(size: string, most: string, options?: ErrorOptions) {
    super(`a value has ${size}, and others accept at most ${most}: send it in parts`, options);
  }
}

/** A Map on the wire; msgpackr would write one like a plain object. */
class MapBox {
  readonly entries: readonly unknown[];
  constructor(entries: readonly unknown[]) {
    this.entries = entries;
  }
}

/** A Set on the wire; msgpackr would write one like an array. */
class SetBox {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

addExtension({
  Class: MapBox,
  type: extensionTypes.map,
  write: (box: MapBox) => box.entries,
  read: (entries: unknown) => new Map(pairs(entries)),
});
addExtension({
  Class: SetBox,
  type: extensionTypes.set,
  write: (box: SetBox) => box.items,
  read: (items: unknown) => new Set(list(items)),
});
addExtension({
  Class: Pid,
  type: extensionTypes.pid,
  write: (pid: Pid) => [pid.node, pid.incarnation, pid.serial],
  read: readPid,
});

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  useBigIntExtension: true,
  int64AsType: "bigint",
  copyBuffers: true,
});

/** The scratch memory that msgpackr keeps after a large value, at most, in bytes. */
const scratchBytesMax = 1 << 20;

/**
 * Bytes that {@link decode} turns into an equal value. `-0` becomes `0`; a `Uint8Array` may come back as a `Buffer`.
 *
 * @throws {NotPlainDataError} for what is not plain data.
 * @throws {ValueTooLargeError} for what {@link decode} would refuse with its default limits.
 */
export function encode(value: unknown): Uint8Array {
  assertPlainData(value, "value");
  const bytes = packr.pack(hasBoxed(value) ? boxed(value) : value);
  assertDecodableByOthers(bytes, { start: 0, end: bytes.length });
  return bytes;
}

/** Where {@link withEncoded} put the bytes: only until the next value is encoded. */
interface Scratch extends Uint8Array {
  readonly start: number;
  readonly end: number;
}

/**
 * Encodes a value that is known to be plain data and hands its bytes to `use`, which must copy them: no memory is
 * taken for each value.
 *
 * @throws {ValueTooLargeError} as {@link encode}.
 */
export function withEncoded(
  value: unknown,
  use: (bytes: Uint8Array, start: number, end: number) => void,
): void {
  const boxes = hasBoxed(value) ? boxed(value) : value;
  const scratch = packr.pack(boxes, REUSE_BUFFER_MODE | RESET_BUFFER_MODE) as Uint8Array as Scratch;
  const { start, end } = scratch;
  try {
    assertDecodableByOthers(scratch, { start, end });
    use(scratch, start, end);
  } finally {
    if (scratch.length > scratchBytesMax) packr.useBuffer(Buffer.allocUnsafeSlow(8_192));
  }
}

/** Small values cannot exceed the limits: an element takes a byte or more. */
function assertDecodableByOthers(bytes: Uint8Array, range: Range): void {
  const length = range.end - range.start;
  const { bytesMax, elementsMax } = decodeLimitsDefault;
  if (length > bytesMax) throw new ValueTooLargeError(`${length} bytes`, `${bytesMax}`);
  if (length <= elementsMax) return;
  try {
    assertDecodable(bytes, range, decodeLimitsDefault);
  } catch (cause) {
    throw new ValueTooLargeError("too many elements", `${elementsMax}`, { cause });
  }
}

/** @throws {BadFrameError} for bytes that are not a value, or exceed the limits. */
export function decode(bytes: Uint8Array, limits: DecodeLimits = decodeLimitsDefault): unknown {
  return decodeRange(bytes, { start: 0, end: bytes.length }, limits);
}

/** Decodes a part of `bytes`. @throws {BadFrameError} as {@link decode}. */
export function decodeRange(
  bytes: Uint8Array,
  range: Range,
  limits: DecodeLimits = decodeLimitsDefault,
): unknown {
  assertDecodable(bytes, range, limits);
  try {
    return packr.unpack(bytes, range);
  } catch (thrown) {
    if (thrown instanceof BadFrameError) throw thrown;
    throw new BadFrameError("the bytes are not a value", { cause: thrown });
  }
}

/** Whether there is a Map or a Set anywhere: most values have none and need no copy. */
function hasBoxed(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasBoxed);
  if (value instanceof Map || value instanceof Set) return true;
  if (value instanceof Uint8Array || value instanceof Date || value instanceof Pid) return false;
  for (const key of Object.keys(value))
    if (hasBoxed((value as Readonly<Record<string, unknown>>)[key])) return true;
  return false;
}

/** The value with every Map and Set boxed. */
function boxed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(boxed);
  if (value instanceof Map) return new MapBox([...value].map((pair) => pair.map(boxed)));
  if (value instanceof Set) return new SetBox([...value].map(boxed));
  if (value instanceof Uint8Array || value instanceof Date || value instanceof Pid) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, boxed(item)]));
}

function list(items: unknown): readonly unknown[] {
  if (!Array.isArray(items)) throw new BadFrameError("a set is not a list of items");
  return items;
}

function pairs(entries: unknown): [unknown, unknown][] {
  return list(entries).map((entry) => {
    if (!Array.isArray(entry) || entry.length !== 2)
      throw new BadFrameError("a map is not a list of pairs");
    return [entry[0], entry[1]];
  });
}

function readPid(parts: unknown): Pid {
  const [node, incarnation, serial, ...more] = list(parts);
  if (
    typeof node !== "string" ||
    typeof incarnation !== "string" ||
    !Number.isSafeInteger(serial) ||
    more.length > 0
  )
    throw new BadFrameError("a pid is not a node, an incarnation and a serial number");
  return new Pid(node, incarnation, serial as number);
}
