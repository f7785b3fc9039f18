/**
 * A core module as its sections, in order: taken apart, changed by appending, put together.
 *
 * Source: WebAssembly core specification, "Modules" in the binary format.
 *
 * @module
 */
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, u32Length } from "./byte-writer.ts";
import { cutOff, MalformedModuleError } from "./errors.ts";

/** The ids of sections. */
export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

const idMax = 13;
/** In this order sections stand in a module. */
const order = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

interface Section {
  readonly id: number;
  body: Uint8Array;
}

export class Sections {
  readonly #sections: Section[] = [];

  /** @throws {MalformedModuleError} if the bytes are not a core module that is whole. */
  constructor(module: Uint8Array) {
    if (header.some((byte, index) => module[index] !== byte))
      throw new MalformedModuleError("the bytes are not a core WebAssembly module");
    const reader = new ByteReader(module, header.length);
    while (!reader.done) {
      const id = reader.byte();
      const length = reader.count();
      if (id > idMax) throw cutOff();
      this.#sections.push({
        id,
        body: module.subarray(reader.position, reader.position + length),
      });
      reader.position += length;
    }
    reader.checked();
  }

  /** The content of a section that a module has at most once. */
  body(id: number): Uint8Array | undefined {
    return this.#sections.find((section) => section.id === id)?.body;
  }

  /** How many entries a section has. */
  count(id: number): number {
    const body = this.body(id);
    return body === undefined ? 0 : new ByteReader(body).u32();
  }

  replace(id: number, body: Uint8Array): void {
    this.#ensure(id).body = body;
  }

  /** Appends `count` entries to a section, which is made if there is none. */
  append(id: number, count: number, entries: Uint8Array): void {
    if (count === 0) return;
    const section = this.#ensure(id);
    const reader = new ByteReader(section.body);
    const grown = new ByteWriter(section.body.length + entries.length + 5);
    grown.u32(reader.u32() + count);
    section.body = grown.copy(section.body, reader.position, reader.end).raw(entries).written();
  }

  /** Adds a custom section before the section `before`, which there must be. */
  insertCustom(before: number, body: Uint8Array): void {
    const at = this.#sections.findIndex(({ id }) => id === before);
    this.#sections.splice(at, 0, { id: sectionId.custom, body });
  }

  /** Keeps only the sections for which `kept` says so. */
  filter(kept: (id: number, body: Uint8Array) => boolean): void {
    const all = this.#sections.splice(0);
    this.#sections.push(...all.filter(({ id, body }) => kept(id, body)));
  }

  bytes(): Uint8Array<ArrayBuffer> {
    let length = header.length;
    for (const { body } of this.#sections) length += 1 + u32Length(body.length) + body.length;
    const out = new ByteWriter(length).raw(header);
    for (const { id, body } of this.#sections) out.byte(id).u32(body.length).raw(body);
    return out.written();
  }

  #ensure(id: number): Section {
    const found = this.#sections.find((section) => section.id === id);
    if (found !== undefined) return found;
    const made: Section = { id, body: Uint8Array.of(0) };
    const rank = order.indexOf(id);
    const next = this.#sections.findIndex((section) => order.indexOf(section.id) > rank);
    this.#sections.splice(next === -1 ? this.#sections.length : next, 0, made);
    return made;
  }
}
