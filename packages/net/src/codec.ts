/**
 * Plain data as bytes and back: msgpack, with extensions for `Map`, `Set` and `Pid`.
 *
 * @module
 */
import { assertPlainData, Pid } from "@coppice/kernel";
import { addExtension, Packr } from "msgpackr";
import {
  assertDecodable,
  BadFrameError,
  type DecodeLimits,
  decodeLimitsDefault,
  extensionTypes,
} from "./frame-limits.ts";

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

/**
 * Bytes that {@link decode} turns into an equal value. `-0` becomes `0`; a `Uint8Array` may come back as a `Buffer`.
 *
 * @throws {NotPlainDataError} for what is not plain data.
 */
export function encode(value: unknown): Uint8Array {
  assertPlainData(value, "value");
  return packr.pack(boxed(value));
}

/** @throws {BadFrameError} for bytes that are not a value, or exceed the limits. */
export function decode(bytes: Uint8Array, limits: DecodeLimits = decodeLimitsDefault): unknown {
  assertDecodable(bytes, limits);
  try {
    return packr.unpack(bytes);
  } catch (thrown) {
    if (thrown instanceof BadFrameError) throw thrown;
    throw new BadFrameError("the bytes are not a value", { cause: thrown });
  }
}

/** The value with every Map and Set boxed; the same object where there is none. */
function boxed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return boxedItems(value);
  if (value instanceof Map) return new MapBox([...value].map(boxedItems));
  if (value instanceof Set) return new SetBox(boxedItems([...value]));
  if (value instanceof Uint8Array || value instanceof Date || value instanceof Pid) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, item] of Object.entries(value)) {
    const next = boxed(item);
    if (next === item) continue;
    copy ??= { ...value } as Record<string, unknown>;
    copy[key] = next;
  }
  return copy ?? value;
}

function boxedItems(items: readonly unknown[]): readonly unknown[] {
  const next = items.map(boxed);
  return next.some((item, index) => item !== items[index]) ? next : items;
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
