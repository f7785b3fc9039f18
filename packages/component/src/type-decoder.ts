/**
 * Decodes the type definitions of a component's binary.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md, type definitions.
 *
 * @module
 */
import { BinaryReader, MalformedError } from "./binary-reader.ts";
import type { Primitive, WitField, WitResource, WitType, WitTypeName } from "./wit-type.ts";

/** A resource or a name while it is decoded: what it is called is known later than what it is. */
export type Unnamed<T> = { -readonly [K in keyof T]: T[K] };

/** A function's type. */
export interface FunctionType {
  readonly params: readonly WitField[];
  readonly result: WitType | undefined;
  readonly async: boolean;
}

/** What an index of the type space may be. */
export type TypeEntry =
  | { readonly sort: "value"; readonly type: WitType }
  | { readonly sort: "resource"; readonly resource: Unnamed<WitResource> }
  | { readonly sort: "function"; readonly type: FunctionType }
  | { readonly sort: "instance"; readonly make: () => Instance }
  | { readonly sort: "component" };

/** What an instance exports, or a component is given. */
export type Item =
  | { readonly sort: "function"; readonly type: FunctionType }
  | { readonly sort: "type"; readonly entry: TypeEntry }
  | { readonly sort: "instance"; readonly instance: Instance }
  | { readonly sort: "component"; readonly make: (given: Instance) => Instance }
  /** Modules and values: nothing here looks into them. */
  | { readonly sort: "other"; readonly what: string };

export type Instance = ReadonlyMap<string, Item>;

/** The index spaces of one component or of one instance type. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly types: TypeEntry[] = [];
  readonly functions: FunctionType[] = [];
  readonly instances: Instance[] = [];
  readonly components: ((given: Instance) => Instance)[] = [];

  constructor(parent: Scope | undefined) {
    this.parent = parent;
  }

  add(item: Item): void {
    if (item.sort === "function") this.functions.push(item.type);
    else if (item.sort === "type") this.types.push(item.entry);
    else if (item.sort === "instance") this.instances.push(item.instance);
    else if (item.sort === "component") this.components.push(item.make);
  }

  /** The scope so many levels out. */
  outer(levels: number): Scope {
    if (levels === 0) return this;
    if (this.parent === undefined) throw new MalformedError("an alias leads out of the component");
    return this.parent.outer(levels - 1);
  }
}

/** @throws {MalformedError} if there is no such index. */
export function at<T>(space: readonly T[], index: number): T {
  const found = space[index];
  if (found === undefined) throw new MalformedError(`there is no index ${index}`);
  return found;
}

const primitiveCodes: Readonly<Record<number, Primitive>> = {
  0x7f: "bool",
  0x7e: "s8",
  0x7d: "u8",
  0x7c: "s16",
  0x7b: "u16",
  0x7a: "s32",
  0x79: "u32",
  0x78: "s64",
  0x77: "u64",
  0x76: "f32",
  0x75: "f64",
  0x74: "char",
  0x73: "string",
};
const errorContextCode = 0x64;
/** A byte of a value type with this bit, and without the continuation bit, is a code and no index. */
const codeBit = 0x40;
const continuationBit = 0x80;

/** One entry of a type section. */
export function readTypeDefinition(reader: BinaryReader, scope: Scope): TypeEntry {
  const code = reader.byte();
  switch (code) {
    case 0x40:
    case 0x43:
      return { sort: "function", type: readFunctionType(reader, scope, code === 0x43) };
    case 0x41:
      readDeclarations(reader, new Scope(scope));
      return { sort: "component" };
    case 0x42: {
      const start = reader.position;
      readDeclarations(reader, new Scope(scope));
      const { bytes, position: end } = reader;
      // Read anew each time: every import of an instance type has resources of its own.
      const make = (): Instance =>
        readDeclarations(new BinaryReader(bytes, start, end), new Scope(scope));
      return { sort: "instance", make };
    }
    case 0x3e:
    case 0x3f:
      reader.byte();
      readOptional(reader, () => reader.unsigned());
      if (code === 0x3e) readOptional(reader, () => reader.unsigned());
      return { sort: "resource", resource: newResource("component") };
    default:
      return { sort: "value", type: readValueDefinition(code, reader, scope) };
  }
}

export function newResource(madeBy: "component" | "host"): Unnamed<WitResource> {
  return { name: "", interface: undefined, madeBy };
}

function readFunctionType(reader: BinaryReader, scope: Scope, async: boolean): FunctionType {
  const params = reader.list(() => ({ name: reader.name(), type: readValueType(reader, scope) }));
  const hasResult = reader.byte() === 0x00;
  if (!hasResult) reader.byte();
  return { params, result: hasResult ? readValueType(reader, scope) : undefined, async };
}

function readValueDefinition(code: number, reader: BinaryReader, scope: Scope): WitType {
  const type = (): WitType => readValueType(reader, scope);
  const optional = (): WitType | undefined => readOptional(reader, type);
  switch (code) {
    case 0x72:
      return { kind: "record", fields: reader.list(() => ({ name: reader.name(), type: type() })) };
    case 0x71:
      return {
        kind: "variant",
        cases: reader.list(() => {
          const each = { name: reader.name(), type: optional() };
          reader.byte(); // Once said which case it refines; always 0.
          return each;
        }),
      };
    case 0x70:
      return { kind: "list", of: type() };
    case 0x67: {
      const of = type();
      return { kind: "list", of, length: reader.unsigned() };
    }
    case 0x6f:
      return { kind: "tuple", items: reader.list(type) };
    case 0x6e:
      return { kind: "flags", names: reader.list(() => reader.name()) };
    case 0x6d:
      return { kind: "enum", names: reader.list(() => reader.name()) };
    case 0x6b:
      return { kind: "option", of: type() };
    case 0x6a:
      return { kind: "result", ok: optional(), err: optional() };
    case 0x69:
    case 0x68: {
      const entry = at(scope.types, reader.unsigned());
      if (entry.sort !== "resource") throw new MalformedError("a handle of what is no resource");
      return { kind: code === 0x69 ? "own" : "borrow", resource: entry.resource };
    }
    case 0x66:
    case 0x65:
      optional();
      return { kind: "async", what: code === 0x66 ? "stream" : "future" };
    default:
      return primitiveType(code);
  }
}

function primitiveType(code: number): WitType {
  if (code === errorContextCode) return { kind: "async", what: "error-context" };
  const name = primitiveCodes[code];
  if (name === undefined)
    throw new MalformedError(`it uses a type this version does not know (0x${code.toString(16)})`);
  return { kind: "primitive", name };
}

/** A value type: a primitive's code, or an index. */
function readValueType(reader: BinaryReader, scope: Scope): WitType {
  const byte = reader.bytes[reader.position] ?? 0;
  if ((byte & continuationBit) === 0 && (byte & codeBit) !== 0) return primitiveType(reader.byte());
  const entry = at(scope.types, reader.unsigned());
  if (entry.sort !== "value") throw new MalformedError("a value of what is no value type");
  return entry.type;
}

function readOptional<T>(reader: BinaryReader, read: () => T): T | undefined {
  return reader.byte() === 0x00 ? undefined : read();
}

/** What an `extern` description says something is. */
export function readDescription(reader: BinaryReader, scope: Scope): Item {
  const code = reader.byte();
  switch (code) {
    case 0x00:
      reader.byte();
      reader.unsigned();
      return { sort: "other", what: "a core module" };
    case 0x01: {
      const entry = at(scope.types, reader.unsigned());
      if (entry.sort !== "function")
        throw new MalformedError("a function of what is no function type");
      return { sort: "function", type: entry.type };
    }
    case 0x02:
      throw new MalformedError("it uses component values, which this version does not know");
    case 0x03:
      if (reader.byte() === 0x00)
        return { sort: "type", entry: at(scope.types, reader.unsigned()) };
      return { sort: "type", entry: { sort: "resource", resource: newResource("host") } };
    case 0x04:
      reader.unsigned();
      return { sort: "other", what: "a component" };
    case 0x05: {
      const entry = at(scope.types, reader.unsigned());
      if (entry.sort !== "instance")
        throw new MalformedError("an instance of what is no instance type");
      return { sort: "instance", instance: entry.make() };
    }
    default:
      throw new MalformedError(`it uses a kind of import this version does not know (${code})`);
  }
}

/** The name of an import or an export. */
export function readExternalName(reader: BinaryReader): string {
  const code = reader.byte();
  if (code > 0x01) throw new MalformedError("it uses names this version does not know");
  return reader.name();
}

/** An alias. Of core things nothing is kept. */
export function readAlias(reader: BinaryReader, scope: Scope): Item {
  const sort = reader.byte();
  if (sort === 0x00) reader.byte();
  const target = reader.byte();
  if (target === 0x02) {
    const from = scope.outer(reader.unsigned());
    const index = reader.unsigned();
    if (sort === 0x03) return { sort: "type", entry: at(from.types, index) };
    if (sort === 0x04) return { sort: "component", make: at(from.components, index) };
    return { sort: "other", what: "a core type" };
  }
  const instance = reader.unsigned();
  const name = reader.name();
  if (sort === 0x00) return { sort: "other", what: "a core export" };
  const found = at(scope.instances, instance).get(name);
  if (found === undefined) throw new MalformedError(`an instance does not export ${name}`);
  return found;
}

/** An item under the name it is exported by: the first name of a type is its name. */
export function named(item: Item, name: string): Item {
  if (item.sort !== "type") return item;
  const { entry } = item;
  if (entry.sort === "resource") {
    if (entry.resource.name === "") entry.resource.name = name;
    return item;
  }
  if (entry.sort !== "value" || entry.type.named !== undefined) return item;
  if (entry.type.kind === "primitive") return item; // An alias of a primitive reads better as what it is.
  const typeName: Unnamed<WitTypeName> = { interface: undefined, name };
  return { sort: "type", entry: { sort: "value", type: { ...entry.type, named: typeName } } };
}

/** The declarations of an instance type or a component type. */
function readDeclarations(reader: BinaryReader, scope: Scope): Instance {
  const exports = new Map<string, Item>();
  reader.list(() => {
    switch (reader.byte()) {
      case 0x00:
        throw new MalformedError("it declares core types, which this version does not know");
      case 0x01:
        scope.types.push(readTypeDefinition(reader, scope));
        return;
      case 0x02:
        scope.add(readAlias(reader, scope));
        return;
      case 0x03:
        readExternalName(reader);
        scope.add(readDescription(reader, scope));
        return;
      case 0x04: {
        const name = readExternalName(reader);
        const item = named(readDescription(reader, scope), name);
        scope.add(item);
        exports.set(name, item);
        return;
      }
      default:
        throw new MalformedError("a type declaration is of no known kind");
    }
  });
  return exports;
}
