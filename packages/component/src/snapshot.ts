/**
 * Snapshots: an idle instance as bytes, and a fresh instance made equal to it, on any thread or machine.
 *
 * A snapshot holds what differs from a fresh instance of the same compiled component: pages of its memories and the
 * values of its mutable globals, compressed. What lives outside of memories cannot be saved, and is refused: a call in
 * progress (its stack), open resources (their handles), tables that grew, globals that hold references or vectors. Not
 * noticed, and not saved: entries of a table replaced in place, and dropped data segments.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { pageBytes, reserved } from "@coppice/meter";
import type { ComponentInstance } from "./instance.ts";
import { SnapshotMismatchError, SnapshotRefusedError } from "./snapshot-errors.ts";

/** How finely memories are compared, in bytes. */
const blockBytes = 4_096;
const format = 1;
/** A snapshot that claims to be larger than this, unpacked, is refused, in bytes. */
const unpackedBytesMax = 4_294_967_296;

interface SavedMemory {
  readonly name: string;
  readonly length: number;
  /** Of the fresh memory that the blocks were compared with. */
  readonly freshCrc: number;
  readonly blocks: readonly number[];
}

interface SavedCore {
  readonly memories: readonly SavedMemory[];
  readonly globals: Readonly<Record<string, string>>;
}

interface Header {
  readonly format: number;
  readonly digest: string;
  readonly cores: readonly SavedCore[];
}

/**
 * What `instance` has become, against `fresh`: an instance of the same compiled component that was never called.
 *
 * @throws {SnapshotRefusedError} if it is in a state that cannot be saved.
 */
export function takeSnapshot(instance: ComponentInstance, fresh: ComponentInstance): Uint8Array {
  refuseUnlessIdle(instance);
  if (instance.digest !== fresh.digest)
    throw new SnapshotRefusedError("the fresh instance is of another component");
  const seen = new Set<unknown>();
  const blocks: Uint8Array[] = [];
  const cores = instance.cores.map((core, index) =>
    savedCore(core, fresh.cores[index]!, { seen, blocks }),
  );
  const header: Header = { format, digest: instance.digest, cores };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return zstdCompressSync(Buffer.concat([length, text, ...blocks]));
}

/**
 * Makes `fresh`, an instance that was never called, equal to the one that was saved.
 *
 * @throws {SnapshotMismatchError} if the bytes are damaged, of another component or compiled with other limits, or if
 * fresh instances of this component differ from each other: then nothing was changed.
 */
export function restoreSnapshot(fresh: ComponentInstance, snapshot: Uint8Array): void {
  const { header, blocks } = unpacked(snapshot);
  if (header.digest !== fresh.digest)
    throw new SnapshotMismatchError("it is of another component, or of other limits");
  const total = header.cores.flatMap(({ memories }) => memories.flatMap((each) => each.blocks));
  if (total.length * blockBytes !== blocks.length || header.cores.length !== fresh.cores.length)
    throw new SnapshotMismatchError("it is damaged");
  header.cores.forEach(({ memories }, index) => {
    for (const { name, freshCrc } of memories)
      if (crc32(contents(memoryOf(fresh.cores[index]!, name))) !== freshCrc)
        throw new SnapshotMismatchError("fresh instances of this component are not equal");
  });
  let at = 0;
  header.cores.forEach((saved, index) => {
    const core = fresh.cores[index]!;
    for (const memory of saved.memories)
      at = restoreMemory(memoryOf(core, memory.name), memory, blocks, at);
    for (const [name, value] of Object.entries(saved.globals))
      (core[name] as WebAssembly.Global).value = numberFrom(value);
  });
}

/** @throws {SnapshotRefusedError} if the instance is in a state that cannot be saved. */
export function refuseUnlessIdle(instance: ComponentInstance): void {
  if (instance.dead) throw new SnapshotRefusedError("it is dead");
  if (instance.busy) throw new SnapshotRefusedError("a call is in progress: wait for it to end");
  const { openHandles } = instance;
  if (openHandles > 0)
    throw new SnapshotRefusedError(
      `it holds ${openHandles} open resources: let it drop them first`,
    );
}

function savedCore(
  core: WebAssembly.Exports,
  fresh: WebAssembly.Exports,
  { seen, blocks }: { readonly seen: Set<unknown>; readonly blocks: Uint8Array[] },
): SavedCore {
  const memories: SavedMemory[] = [];
  const globals: Record<string, string> = {};
  for (const [name, value] of Object.entries(core)) {
    if (name.startsWith(reserved.table)) {
      const lengths = [value, fresh[name]].map((table) => (table as WebAssembly.Table).length);
      if (lengths[0] !== lengths[1]) throw new SnapshotRefusedError("a table has grown");
    } else if (name.startsWith(reserved.global)) {
      const saved = numberOf(value as WebAssembly.Global);
      if (saved !== undefined) globals[name] = saved;
    } else if (name.startsWith(reserved.memory) && !seen.has(value)) {
      seen.add(value); // Modules share memories.
      memories.push(savedMemory(name, contents(value), contents(fresh[name]), blocks));
    }
  }
  return { memories, globals };
}

function savedMemory(
  name: string,
  now: Buffer,
  before: Buffer,
  collected: Uint8Array[],
): SavedMemory {
  const zeros = Buffer.alloc(blockBytes);
  const blocks: number[] = [];
  for (let at = 0; at < now.length; at += blockBytes) {
    const same =
      at < before.length
        ? now.compare(before, at, at + blockBytes, at, at + blockBytes)
        : now.compare(zeros, 0, blockBytes, at, at + blockBytes);
    if (same === 0) continue;
    blocks.push(at);
    collected.push(now.subarray(at, at + blockBytes));
  }
  return { name, length: now.length, freshCrc: crc32(before), blocks };
}

function restoreMemory(
  memory: WebAssembly.Memory,
  saved: SavedMemory,
  blocks: Buffer,
  from: number,
): number {
  const missing = (saved.length - memory.buffer.byteLength) / pageBytes;
  if (missing > 0) memory.grow(missing);
  const bytes = contents(memory);
  let at = from;
  for (const block of saved.blocks) {
    blocks.copy(bytes, block, at, at + blockBytes);
    at += blockBytes;
  }
  return at;
}

function unpacked(snapshot: Uint8Array): { header: Header; blocks: Buffer } {
  try {
    const bytes = zstdDecompressSync(snapshot, { maxOutputLength: unpackedBytesMax });
    const end = 4 + bytes.readUInt32LE(0);
    const header = JSON.parse(bytes.toString("utf8", 4, end)) as Header;
    if (header.format !== format) throw new Error(`its format is ${header.format}, not ${format}`);
    return { header, blocks: bytes.subarray(end) };
  } catch (cause) {
    throw new SnapshotMismatchError(`it is damaged: ${(cause as Error).message}`, { cause });
  }
}

function memoryOf(core: WebAssembly.Exports, name: string): WebAssembly.Memory {
  const memory = core[name] as WebAssembly.Memory | undefined;
  if (memory === undefined) throw new SnapshotMismatchError("it is damaged");
  return memory;
}

function contents(memory: unknown): Buffer {
  return Buffer.from((memory as WebAssembly.Memory).buffer);
}

/** A number as text; undefined for a reference to nothing, which a fresh instance has too. */
function numberOf(global: WebAssembly.Global): string | undefined {
  let value: unknown;
  try {
    ({ value } = global);
  } catch {
    value = undefined; // A vector or an exception, of which JavaScript has no value.
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value === null) return undefined;
  throw new SnapshotRefusedError("a global holds a reference or a vector");
}

function numberFrom(text: string): number | bigint {
  return text.endsWith("n") ? BigInt(text.slice(0, -1)) : Number(text);
}
