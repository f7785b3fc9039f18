/**
 * Ceilings on the memories and tables a module defines.
 *
 * What starts larger keeps its start as its maximum, so the module still instantiates.
 *
 * @module
 */
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { skipConstant } from "./instructions.ts";
import { sectionId, type Sections } from "./sections.ts";
import { type Limits, readLimits, skipValueType } from "./value-types.ts";

/** A page of WebAssembly memory, in bytes. */
export const pageBytes = 65_536;

/** Lowers the maximum of every memory the module defines. @throws {UnsupportedModuleError} if one cannot be metered. */
export function limitMemories(sections: Sections, pagesMax: number | undefined): void {
  const body = sections.body(sectionId.memory);
  if (body === undefined) return;
  const reader = new ByteReader(body);
  const count = reader.count();
  const out = new ByteWriter().u32(count);
  for (let left = count; left > 0; left -= 1) write(out, readLimits(reader, "memory"), pagesMax);
  reader.checked();
  sections.replace(sectionId.memory, out.written());
}

const hasInitial = 0x40;

/** Lowers the maximum of every table the module defines. @throws {UnsupportedModuleError} if one cannot be metered. */
export function limitTables(sections: Sections, elementsMax: number | undefined): void {
  const body = sections.body(sectionId.table);
  if (body === undefined) return;
  const reader = new ByteReader(body);
  const count = reader.count();
  const out = new ByteWriter().u32(count);
  for (let left = count; left > 0; left -= 1) {
    const start = reader.position;
    const initial = reader.peek() === hasInitial;
    if (initial) reader.position += 2;
    skipValueType(reader);
    out.copy(body, start, reader.position);
    write(out, readLimits(reader, "table"), elementsMax);
    const rest = reader.position;
    if (initial) skipConstant(reader);
    out.copy(body, rest, reader.position);
  }
  reader.checked();
  sections.replace(sectionId.table, out.written());
}

function write(out: ByteWriter, { minimum, maximum }: Limits, ceiling: number | undefined): void {
  const limit = Math.min(maximum ?? Infinity, ceiling ?? Infinity);
  if (limit === Infinity) out.byte(0x00).u32(minimum);
  else out.byte(0x01).u32(minimum).u32(Math.max(minimum, limit));
}
