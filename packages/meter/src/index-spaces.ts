/**
 * What a module imports and defines, counted: every index space of it, so that more can be appended without moving any.
 *
 * @module
 */
import { ByteReader } from "./byte-reader.ts";
import { UnsupportedModuleError } from "./errors.ts";
import { skipConstant } from "./instructions.ts";
import { sectionId, type Sections } from "./sections.ts";
import { readLimits, readTypes, skipValueType, type TypeSpace } from "./value-types.ts";

/** How many there are of each kind, imported ones first. */
export interface IndexSpaces {
  readonly types: TypeSpace;
  readonly importedFunctions: number;
  readonly functions: number;
  readonly tables: number;
  readonly memories: number;
  readonly globals: number;
  /** The indexes of globals that can change. */
  readonly mutableGlobals: readonly number[];
}

const kind = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };

/** @throws {UnsupportedModuleError} for memories and tables that cannot be metered. */
export function readIndexSpaces(sections: Sections): IndexSpaces {
  const imported = [0, 0, 0, 0, 0];
  const mutableGlobals: number[] = [];
  const imports = new ByteReader(sections.body(sectionId.import) ?? new Uint8Array(1));
  for (let left = imports.count(); left > 0; left -= 1) {
    imports.name();
    imports.name();
    const what = imports.byte();
    if (imported[what] === undefined)
      throw new UnsupportedModuleError(
        `the module imports something of kind ${what}, which is not known here`,
      );
    if (skipImport(imports, what)) mutableGlobals.push(imported[kind.global]!);
    imported[what] += 1;
  }
  imports.checked();
  const globals = new ByteReader(sections.body(sectionId.global) ?? new Uint8Array(1));
  const defined = globals.count();
  for (let index = 0; index < defined; index += 1) {
    skipValueType(globals);
    if (globals.byte() !== 0) mutableGlobals.push(imported[kind.global]! + index);
    skipConstant(globals);
  }
  globals.checked();
  const types = sections.body(sectionId.type);
  return {
    types: types === undefined ? { count: 0, parameters: [] } : readTypes(new ByteReader(types)),
    importedFunctions: imported[kind.function]!,
    functions: imported[kind.function]! + sections.count(sectionId.function),
    tables: imported[kind.table]! + sections.count(sectionId.table),
    memories: imported[kind.memory]! + sections.count(sectionId.memory),
    globals: imported[kind.global]! + defined,
    mutableGlobals,
  };
}

/** Whether what was passed over is a global that can change. */
function skipImport(imports: ByteReader, what: number): boolean {
  switch (what) {
    case kind.function:
      imports.u32();
      return false;
    case kind.table:
      skipValueType(imports);
      readLimits(imports, "table");
      return false;
    case kind.memory:
      readLimits(imports, "memory");
      return false;
    case kind.global:
      skipValueType(imports);
      return imports.byte() !== 0;
    default:
      imports.position += 1;
      imports.u32();
      return false;
  }
}
