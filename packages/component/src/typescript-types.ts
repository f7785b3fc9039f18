/**
 * WIT types as TypeScript types, and the definitions of those that have names.
 *
 * @module
 */
import { resourceName } from "./handle-state.ts";
import {
  camelCase,
  containsResource,
  mayBeUndefined,
  pascalCase,
  type Primitive,
  roleOf,
  type WitFunction,
  type WitResource,
  type WitType,
  type WitTypeName,
  withoutVersion,
} from "./wit-type.ts";

const primitiveTypes: Readonly<Record<Primitive, string>> = {
  bool: "boolean",
  u8: "number",
  u16: "number",
  u32: "number",
  u64: "bigint",
  s8: "number",
  s16: "number",
  s32: "number",
  s64: "bigint",
  f32: "number",
  f64: "number",
  char: "string",
  string: "string",
};

/** How a resource appears: as a handle to those who call, as an object to the host that provides it. */
type Side = "caller" | "host";

type Member = "method" | "static" | "constructor";

export class TypeNames {
  readonly #taken: Set<string>;
  readonly #docs: ReadonlyMap<string, string>;
  /** Names by what they stand for. */
  readonly #names = new Map<string, string>();
  /** In the order of their first use; each is written when all that it uses has a name. */
  readonly #definitions = new Map<string, string>();

  constructor(taken: readonly string[], docs: ReadonlyMap<string, string>) {
    this.#taken = new Set(taken);
    this.#docs = docs;
  }

  get usesHandles(): boolean {
    return this.definitions().some((text) => text.includes("ResourceHandle<"));
  }

  definitions(): string[] {
    return [...this.#definitions.values()];
  }

  /** A type as a caller of the component sees it. */
  typeOf(type: WitType): string {
    return this.#reference(type, "caller");
  }

  /** A type as the host sees it. */
  hostType(type: WitType): string {
    return this.#reference(type, "host");
  }

  /** The member for a class of the host, and the interface of its instances. */
  hostClass(
    resource: WitResource,
    functions: readonly WitFunction[],
    member: (each: WitFunction, type: Member) => string,
  ): string {
    const name = this.#nameOf(
      `object ${resourceName(resource)}`,
      resource.name,
      resource.interface,
    );
    const roles = functions.map((each) => [each, roleOf(each.name).type as Member] as const);
    const methods = roles.filter(([, type]) => type === "method");
    const others = roles.filter(([, type]) => type !== "method");
    const body = methods.map(([each, type]) => member(each, type)).join("");
    const dispose = "  /** Called when the component drops it. */\n  [Symbol.dispose]?(): void;\n";
    this.#define(name, this.#docsOf(resource), `export interface ${name} {\n${body}${dispose}}\n`);
    // Without a constructor in WIT only its static functions are called, and functions of the host return instances.
    const made = others.some(([, type]) => type === "constructor")
      ? ""
      : `  new (...args: never[]): ${name};\n`;
    const statics = others.map(([each, type]) => member(each, type)).join("");
    return `  ${pascalCase(resource.name)}: {\n${`${made}${statics}`.replaceAll(/^(?=.)/gm, "  ")}  };\n`;
  }

  #reference(type: WitType, side: Side): string {
    if (type.named === undefined) return this.#inline(type, side);
    const { interface: owner, name } = type.named;
    const hasResource = containsResource(type);
    const key = `${hasResource ? side : ""} ${owner}#${name}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const given = this.#nameOf(key, hasResource && side === "host" ? `host-${name}` : name, owner);
    this.#define(given, this.#docsOf(type.named), this.#definition(given, type, side));
    return given;
  }

  #definition(name: string, type: WitType, side: Side): string {
    if (type.kind !== "record") return `export type ${name} = ${this.#inline(type, side)};\n`;
    const fields = type.fields.map((field) => {
      const lines = this.#linesOf(type.named, `.${field.name}`);
      return `${comment(lines, "  ")}  ${this.#field(field.name, field.type, side)};\n`;
    });
    return `export interface ${name} {\n${fields.join("")}}\n`;
  }

  #inline(type: WitType, side: Side): string {
    const of = (each: WitType): string => this.#reference(each, side);
    switch (type.kind) {
      case "primitive":
        return primitiveTypes[type.name];
      case "list":
        return type.of.kind === "primitive" && type.of.name === "u8"
          ? "Uint8Array"
          : `Array<${of(type.of)}>`;
      case "option":
        return mayBeUndefined(type)
          ? `${of(type.of)} | undefined`
          : tagged([
              ["none", undefined],
              ["some", of(type.of)],
            ]);
      case "result":
        return tagged([
          ["ok", type.ok && of(type.ok)],
          ["err", type.err && of(type.err)],
        ]);
      case "tuple":
        return `[${type.items.map((item) => of(item)).join(", ")}]`;
      case "record":
        return `{ ${type.fields.map((field) => this.#field(field.name, field.type, side)).join("; ")} }`;
      case "variant":
        return tagged(type.cases.map((each) => [each.name, each.type && of(each.type)]));
      case "enum":
        return type.names.map((name) => JSON.stringify(name)).join(" | ");
      case "flags":
        return `{ ${type.names.map((name) => `${camelCase(name)}?: boolean`).join("; ")} }`;
      case "own":
      case "borrow":
        return this.#resource(type.resource, side);
      case "async":
        return "unknown";
    }
  }

  #field(name: string, type: WitType, side: Side): string {
    return `${camelCase(name)}${mayBeUndefined(type) ? "?" : ""}: ${this.#reference(type, side)}`;
  }

  #resource(resource: WitResource, side: Side): string {
    const isObject = side === "host" && resource.madeBy === "host";
    const key = `${isObject ? "object" : "handle"} ${resourceName(resource)}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    if (isObject) return this.#nameOf(key, resource.name, resource.interface);
    const ofHost = resource.madeBy === "host";
    const wanted = ofHost ? `${resource.name}-handle` : resource.name;
    const name = this.#nameOf(key, wanted, resource.interface);
    const definition = `export type ${name} = ResourceHandle<"${resourceName(resource)}">;\n`;
    this.#define(name, this.#docsOf(resource), definition);
    return name;
  }

  #nameOf(key: string, wanted: string, owner: string | undefined): string {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const bare = owner === undefined ? "" : withoutVersion(owner);
    const local = bare.slice(bare.lastIndexOf("/") + 1);
    const plain = pascalCase(wanted);
    const prefixed = pascalCase(`${local}-${wanted}`);
    let name = this.#taken.has(plain) ? prefixed : plain;
    for (let count = 2; this.#taken.has(name); count += 1) name = `${prefixed}${count}`;
    this.#taken.add(name);
    this.#names.set(key, name);
    return name;
  }

  #define(name: string, lines: readonly string[], text: string): void {
    this.#definitions.set(name, comment(lines, "") + text);
  }

  #docsOf(named: WitTypeName): string[] {
    return this.#linesOf(named, "");
  }

  #linesOf(named: WitTypeName | undefined, part: string): string[] {
    if (named?.interface === undefined) return [];
    return (
      this.#docs.get(`${withoutVersion(named.interface)}#${named.name}${part}`)?.split("\n") ?? []
    );
  }
}

function tagged(cases: readonly (readonly [string, string | undefined])[]): string {
  return cases
    .map(
      ([tag, val]) => `{ tag: ${JSON.stringify(tag)}${val === undefined ? "" : `; val: ${val}`} }`,
    )
    .join(" | ");
}

/** A documentation comment. */
export function comment(lines: readonly string[], indent: string): string {
  const safe = lines.map((line) => line.replaceAll("*/", "*\\/"));
  if (safe.length === 0) return "";
  if (safe.length === 1) return `${indent}/** ${safe[0]} */\n`;
  return `${indent}/**\n${safe.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}
