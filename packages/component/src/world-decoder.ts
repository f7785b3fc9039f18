/**
 * Decodes what a component asks of its host and offers to it, from its binary.
 *
 * Only the types are evaluated: core modules are skipped, nested components are followed where an export leads into them.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
 *
 * @module
 */
import { BinaryReader, MalformedError } from "./binary-reader.ts";
import { readCanonicals } from "./canonical-decoder.ts";
import {
  at,
  type FunctionType,
  type Instance,
  type Item,
  named,
  readAlias,
  readDescription,
  readExternalName,
  readTypeDefinition,
  Scope,
  type Unnamed,
} from "./type-decoder.ts";
import type { WitFunction, WitInterface, WitResource, WitTypeName, WitWorld } from "./wit-type.ts";

const preambleLength = 8;

/** @throws {MalformedError} with what is wrong, or with what this version does not support. */
export function decodeWorld(bytes: Uint8Array): WitWorld {
  const imports: [string, Item][] = [];
  const reader = new BinaryReader(bytes, preambleLength, bytes.length);
  const exports = readComponent(reader, undefined, (name, item) => {
    if (item.sort === "other" || item.sort === "component") {
      const what = item.sort === "other" ? item.what : "a component";
      throw new MalformedError(`it imports ${name}, ${what}, which is not supported`);
    }
    imports.push([name, item]);
    return named(item, name);
  });
  const imported = split(imports);
  const exported = split([...exports]);
  return {
    imports: imported.functions,
    importedInterfaces: imported.interfaces,
    exports: exported.functions,
    exportedInterfaces: exported.interfaces,
  };
}

/** Called for an import; what it returns is imported. */
type Import = (name: string, described: Item) => Item;

/** The sections of one component. Returns its exports. */
function readComponent(
  reader: BinaryReader,
  parent: Scope | undefined,
  onImport: Import,
): Map<string, Item> {
  const scope = new Scope(parent);
  const exports = new Map<string, Item>();
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.section(reader.unsigned());
    switch (id) {
      case 4:
        scope.components.push(nested(section, scope));
        break;
      case 5:
        section.list(() => scope.instances.push(readInstance(section, scope)));
        break;
      case 6:
        section.list(() => scope.add(readAlias(section, scope)));
        break;
      case 7:
        section.list(() => scope.types.push(readTypeDefinition(section, scope)));
        break;
      case 8:
        readCanonicals(section, scope);
        break;
      case 9:
        throw new MalformedError("it has a component start function, which is not supported");
      case 10:
        section.list(() => {
          const name = readExternalName(section);
          scope.add(onImport(name, readDescription(section, scope)));
        });
        break;
      case 11:
        section.list(() => {
          const [name, item] = readExport(section, scope);
          scope.add(item);
          exports.set(name, item);
        });
        break;
      case 0:
      case 1:
      case 2:
      case 3:
        break; // Custom sections and everything core.
      default:
        throw new MalformedError(`it has a section this version does not know (${id})`);
    }
  }
  return exports;
}

function nested(
  { bytes, position, end }: BinaryReader,
  scope: Scope,
): (given: Instance) => Instance {
  return (given) => {
    const reader = new BinaryReader(bytes, position + preambleLength, end);
    return readComponent(reader, scope, (name) => {
      const item = given.get(name);
      if (item === undefined) throw new MalformedError(`a nested component is not given ${name}`);
      return item;
    });
  };
}

function readInstance(reader: BinaryReader, scope: Scope): Instance {
  if (reader.byte() === 0x00) {
    const make = at(scope.components, reader.unsigned());
    return make(new Map(reader.list(() => [reader.name(), readSortIndex(reader, scope)])));
  }
  return new Map(
    reader.list(() => {
      const name = readExternalName(reader);
      return [name, named(readSortIndex(reader, scope), name)];
    }),
  );
}

function readExport(reader: BinaryReader, scope: Scope): [string, Item] {
  const name = readExternalName(reader);
  const item = readSortIndex(reader, scope);
  // The type a function is exported with names its types; all else is as it is inside.
  const described = reader.byte() === 0x00 ? undefined : readDescription(reader, scope);
  return [name, described?.sort === "function" ? described : named(item, name)];
}

function readSortIndex(reader: BinaryReader, scope: Scope): Item {
  const sort = reader.byte();
  if (sort === 0x00) reader.byte();
  const index = reader.unsigned();
  switch (sort) {
    case 0x01:
      return { sort: "function", type: at(scope.functions, index) };
    case 0x03:
      return { sort: "type", entry: at(scope.types, index) };
    case 0x04:
      return { sort: "component", make: at(scope.components, index) };
    case 0x05:
      return { sort: "instance", instance: at(scope.instances, index) };
    default:
      return { sort: "other", what: "a core module" };
  }
}

/** Functions of the world itself, and interfaces. */
function split(items: readonly (readonly [string, Item])[]): {
  readonly functions: WitFunction[];
  readonly interfaces: WitInterface[];
} {
  const functions: WitFunction[] = [];
  const interfaces: WitInterface[] = [];
  for (const [name, item] of items) {
    if (item.sort === "function") functions.push(functionOf(name, item.type, undefined));
    else if (item.sort === "instance") interfaces.push(interfaceOf(name, item.instance));
  }
  return { functions, interfaces };
}

function interfaceOf(name: string, instance: Instance): WitInterface {
  const functions: WitFunction[] = [];
  const resources: WitResource[] = [];
  for (const [key, item] of instance) {
    if (item.sort === "function") functions.push(functionOf(key, item.type, name));
    if (item.sort !== "type") continue;
    const { entry } = item;
    if (entry.sort === "resource") {
      entry.resource.interface ??= name;
      if (entry.resource.interface === name) resources.push(entry.resource);
    } else if (entry.sort === "value" && entry.type.named !== undefined) {
      (entry.type.named as Unnamed<WitTypeName>).interface ??= name;
    }
  }
  return { name, functions, resources };
}

function functionOf(name: string, type: FunctionType, owner: string | undefined): WitFunction {
  return { name, interface: owner, ...type };
}
