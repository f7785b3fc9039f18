/**
 * WIT types and function signatures, as plain data: what a component asks of its host and offers to it.
 *
 * Source: https://component-model.bytecodealliance.org/design/wit.html
 *
 * @module
 */

/** Types without parts. */
export const primitives = [
  "bool",
  "u8",
  "u16",
  "u32",
  "u64",
  "s8",
  "s16",
  "s32",
  "s64",
  "f32",
  "f64",
  "char",
  "string",
] as const;

export type Primitive = (typeof primitives)[number];

/** What a type is called where it is defined. */
export interface WitTypeName {
  /** `example:shop/types@1.2.0`; undefined for a type of the world itself. */
  readonly interface: string | undefined;
  readonly name: string;
}

/** A type. Names of types are resolved: `named` says what a resolved one was called. */
export type WitType = WitShape & { readonly named?: WitTypeName };

export type WitShape =
  | { readonly kind: "primitive"; readonly name: Primitive }
  | { readonly kind: "option"; readonly of: WitType }
  /** `length` is set for a list of fixed length. */
  | { readonly kind: "list"; readonly of: WitType; readonly length?: number }
  | {
      readonly kind: "result";
      readonly ok: WitType | undefined;
      readonly err: WitType | undefined;
    }
  | { readonly kind: "tuple"; readonly items: readonly WitType[] }
  | { readonly kind: "record"; readonly fields: readonly WitField[] }
  | { readonly kind: "variant"; readonly cases: readonly WitCase[] }
  | { readonly kind: "enum" | "flags"; readonly names: readonly string[] }
  | { readonly kind: "own" | "borrow"; readonly resource: WitResource }
  /** Streams, futures and error contexts: their values pass through as jco makes them. */
  | { readonly kind: "async"; readonly what: string };

export interface WitField {
  readonly name: string;
  readonly type: WitType;
}

export interface WitCase {
  readonly name: string;
  readonly type: WitType | undefined;
}

/** A resource. Two are the same only if they are the same object. */
export interface WitResource {
  readonly name: string;
  readonly interface: string | undefined;
  /** Who makes its values: the component, or the host. */
  readonly madeBy: "component" | "host";
}

/** A function. Names are WIT's, in kebab-case. */
export interface WitFunction {
  /** As in the binary: `add-message`, `[constructor]cart`, `[method]cart.add`, `[static]cart.merge`. */
  readonly name: string;
  /** The interface it belongs to; undefined for a function of the world itself. */
  readonly interface: string | undefined;
  readonly params: readonly WitField[];
  readonly result: WitType | undefined;
  /** Declared `async` in WIT. */
  readonly async: boolean;
}

/** An interface that is imported or exported. */
export interface WitInterface {
  /** With its version: `example:shop/carts@1.2.0`. */
  readonly name: string;
  readonly functions: readonly WitFunction[];
  readonly resources: readonly WitResource[];
}

/** What a component asks of its host and offers to it. */
export interface WitWorld {
  readonly imports: readonly WitFunction[];
  readonly importedInterfaces: readonly WitInterface[];
  readonly exports: readonly WitFunction[];
  readonly exportedInterfaces: readonly WitInterface[];
}

/** Whether a component has async functions, streams or futures (WASI 0.3). */
export function usesAsync(world: WitWorld): boolean {
  return functionsOf(world).some((each) => each.async) || passesStreams(world);
}

/** Whether a component takes or gives streams, futures or error contexts: what cannot be copied. */
export function passesStreams(world: WitWorld): boolean {
  return functionsOf(world).some(({ params, result }) =>
    [...params.map(({ type }) => type), ...(result ? [result] : [])].some(isAsync),
  );
}

function functionsOf(world: WitWorld): readonly WitFunction[] {
  const interfaces = [...world.importedInterfaces, ...world.exportedInterfaces];
  return [...world.imports, ...world.exports, ...interfaces.flatMap((each) => each.functions)];
}

function isAsync(type: WitType): boolean {
  return type.kind === "async" || partsOf(type).some(isAsync);
}

/** The types a type is made of. */
function partsOf(type: WitType): readonly WitType[] {
  const given = (types: readonly (WitType | undefined)[]): WitType[] =>
    types.filter((each) => each !== undefined);
  switch (type.kind) {
    case "list":
    case "option":
      return [type.of];
    case "result":
      return given([type.ok, type.err]);
    case "tuple":
      return type.items;
    case "record":
      return type.fields.map((field) => field.type);
    case "variant":
      return given(type.cases.map((each) => each.type));
    default:
      return [];
  }
}

/** Whether a value of the type is, or has in it, a handle of a resource. */
export function containsResource(type: WitType): boolean {
  return type.kind === "own" || type.kind === "borrow" || partsOf(type).some(containsResource);
}

/** Whether a value of the type may be `undefined`: an option, unless its own payload may be, so that it is tagged. */
export function mayBeUndefined(type: WitType): boolean {
  return type.kind === "option" && !mayBeUndefined(type.of);
}

/** The JavaScript name of a WIT name: `add-message` is `addMessage`. */
export function camelCase(name: string): string {
  const [first = "", ...rest] = name.split("-");
  return first.toLowerCase() + rest.map(capitalized).join("");
}

/** The name of a class or a type: `shopping-cart` is `ShoppingCart`. */
export function pascalCase(name: string): string {
  return name.split("-").map(capitalized).join("");
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
}

/** What a function's name says: a plain function, or part of a resource. */
export type FunctionRole =
  | { readonly type: "function"; readonly name: string }
  | { readonly type: "constructor"; readonly resource: string }
  | { readonly type: "method" | "static"; readonly resource: string; readonly name: string };

export function roleOf(functionName: string): FunctionRole {
  const [, kind, resource = "", name = ""] =
    /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/.exec(functionName) ?? [];
  switch (kind) {
    case "constructor":
      return { type: "constructor", resource };
    case "method":
    case "static":
      return { type: kind, resource, name };
    default:
      return { type: "function", name: functionName };
  }
}

/** An interface's name without its version, as jco names its imports: `wasi:cli/stderr`. */
export function withoutVersion(interfaceName: string): string {
  return interfaceName.replace(/@.*$/, "");
}

/**
 * What jco calls each imported interface: by its name without its version, unless two versions of it are imported.
 */
export function importKeys({ importedInterfaces }: WitWorld): ReadonlyMap<string, string> {
  const names = importedInterfaces.map(({ name }) => name);
  const bare = names.map(withoutVersion);
  const isShared = (key: string): boolean => bare.indexOf(key) !== bare.lastIndexOf(key);
  return new Map(names.map((name, index) => [name, isShared(bare[index]!) ? name : bare[index]!]));
}
