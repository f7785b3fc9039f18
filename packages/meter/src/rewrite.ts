/**
 * The rewriting of one core module: all of it, in one pass over its bytes.
 *
 * Sections are changed by appending, so indexes, names and data stay as they are. Custom sections that say where in the
 * code something is (`.debug_*`, source maps, branch hints, relocations) would be wrong, and are left out.
 *
 * Source: WebAssembly core specification, binary format.
 *
 * @module
 */
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { limitMemories, limitTables } from "./ceilings.ts";
import { MalformedModuleError, UnsupportedModuleError } from "./errors.ts";
import { addFuel } from "./fuel.ts";
import { type IndexSpaces, readIndexSpaces } from "./index-spaces.ts";
import { isReserved, reserved } from "./reserved-names.ts";
import { sectionId, Sections } from "./sections.ts";

/** Part of every cache key: raise it with any change of what {@link rewrite} makes. */
export const rewriteVersion = 1;

/** What is done to a module. */
export interface RewriteOptions {
  /** Whether it is metered. Default: true. */
  readonly fuel?: boolean;
  /** The most pages of 64 KiB a memory may grow to. Default: what the module says. */
  readonly memoryPagesMax?: number;
  /** The most elements a table may grow to. Default: what the module says. */
  readonly tableElementsMax?: number;
  /** Whether memories, tables and mutable globals are exported under reserved names, for snapshots. Default: true. */
  readonly state?: boolean;
}

/**
 * The module with fuel, ceilings and its state exported. It does nothing by itself before `arm` gives it fuel: also its
 * start function only runs then.
 *
 * @throws {MalformedModuleError} if the bytes are not a valid core module.
 * @throws {UnsupportedModuleError} if it uses 64-bit or shared memories, an instruction that is not known, or a reserved name.
 * @throws {RangeError} if a ceiling is not a whole number, 0 or more.
 */
export function rewrite(module: Uint8Array, options: RewriteOptions = {}): Uint8Array<ArrayBuffer> {
  const { fuel = true, memoryPagesMax, tableElementsMax, state = true } = options;
  checkCeiling("memoryPagesMax", memoryPagesMax);
  checkCeiling("tableElementsMax", tableElementsMax);
  const sections = new Sections(module);
  // Without it, an index that is out of range could come to name what is appended: the fuel itself.
  validate(module);
  const spaces = readIndexSpaces(sections);
  const exports = new ExportList(sections);
  limitMemories(sections, memoryPagesMax);
  limitTables(sections, tableElementsMax);
  if (state) exportState(exports, spaces);
  if (fuel) {
    const start = sections.body(sectionId.start);
    sections.filter(
      (id, body) => id !== sectionId.start && !(id === sectionId.custom && locatesCode(body)),
    );
    const globals = addFuel(sections, spaces);
    exports.add(reserved.fuel, exportKind.global, globals.fuel);
    exports.add(reserved.owner, exportKind.global, globals.owner);
    exports.add(reserved.check, exportKind.global, globals.check);
    exports.add(reserved.suspend, exportKind.global, globals.suspend);
    if (start !== undefined)
      exports.add(reserved.start, exportKind.function, new ByteReader(start).u32());
  }
  exports.append();
  return sections.bytes();
}

function checkCeiling(name: string, value: number | undefined): void {
  if (value !== undefined && (!Number.isInteger(value) || value < 0 || value > 0xff_ff_ff_ff))
    throw new RangeError(`${name} must be a whole number, 0 or more, not ${value}`);
}

function validate(module: Uint8Array): void {
  if (WebAssembly.validate(module)) return;
  try {
    Reflect.construct(WebAssembly.Module, [module]); // Only to be told why.
  } catch (cause) {
    const why = (cause as Error).message.replace(/^WebAssembly\.Module\(\): /, "");
    throw new MalformedModuleError(`the core module is not valid: ${why}`, { cause });
  }
}

const exportKind = { function: 0, table: 1, memory: 2, global: 3 };

/** What is to be exported beside what the module exports. */
class ExportList {
  readonly #sections: Sections;
  readonly #entries = new ByteWriter();
  #count = 0;

  constructor(sections: Sections) {
    this.#sections = sections;
    const reader = new ByteReader(sections.body(sectionId.export) ?? Uint8Array.of(0));
    for (let left = reader.count(); left > 0; left -= 1) {
      const name = reader.name();
      if (isReserved(name))
        throw new UnsupportedModuleError(
          `the module exports ${name}: that name is reserved, rename the export`,
        );
      reader.position += 1;
      reader.u32();
    }
  }

  add(name: string, kind: number, index: number): void {
    this.#entries.name(name).byte(kind).u32(index);
    this.#count += 1;
  }

  append(): void {
    this.#sections.append(sectionId.export, this.#count, this.#entries.written());
  }
}

function exportState(exports: ExportList, spaces: IndexSpaces): void {
  for (let index = 0; index < spaces.memories; index += 1)
    exports.add(`${reserved.memory}${index}`, exportKind.memory, index);
  for (let index = 0; index < spaces.tables; index += 1)
    exports.add(`${reserved.table}${index}`, exportKind.table, index);
  for (const index of spaces.mutableGlobals)
    exports.add(`${reserved.global}${index}`, exportKind.global, index);
}

const locating = /^(?:\.debug_|reloc\.|metadata\.code\.|sourceMappingURL$|external_debug_info$)/;

/** Whether a custom section names positions in the code. */
function locatesCode(body: Uint8Array): boolean {
  return locating.test(new ByteReader(body).name());
}
