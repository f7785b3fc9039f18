/**
 * TypeScript for a world: an interface of what a component answers, and a type of what its host must give.
 *
 * @module
 */
import { FunctionPaths } from "./function-paths.ts";
import { comment, TypeNames } from "./typescript-types.ts";
import { fullName, signatureOf } from "./wit-signature.ts";
import {
  camelCase,
  pascalCase,
  roleOf,
  type WitFunction,
  type WitInterface,
  type WitType,
  type WitWorld,
  withoutVersion,
} from "./wit-type.ts";

/** What to write. */
export interface TypeScriptOptions {
  readonly world: WitWorld;
  /** The world's name: `chat-room` becomes the interface `ChatRoom`. */
  readonly name: string;
  /** Documentation by the keys of `readWitDocs`. */
  readonly docs: ReadonlyMap<string, string>;
  /** What it was made from, for the first line. */
  readonly source: string;
}

/** The text of a TypeScript module. */
export function typescriptOf({ world, name, docs, source }: TypeScriptOptions): string {
  const title = pascalCase(name);
  const names = new TypeNames([title, `${title}Imports`], docs);
  const exported = new FunctionPaths(world).targets.map((target) => {
    if (target.type === "drop") {
      const handle = names.typeOf({ kind: "own", resource: target.resource });
      const lines = [`Ends a ${target.resource.name}; its handle is refused afterwards.`];
      return `${comment(lines, "  ")}  "${target.path}"(handle: ${handle}): void;\n`;
    }
    const { function: each, path } = target;
    const lines = documentation(each, docs, `world ${name}`);
    return `${comment(lines, "  ")}  "${path}"(${params(each, names)}): ${answer(each, names)};\n`;
  });
  const imported = importsOf(world, names, docs, `world ${name}`);
  const worldDocs = docs.get(`world ${name}`)?.split("\n") ?? [];
  const head = comment([...worldDocs, "What the component answers: use it with `node.ref`."], "");
  return [
    `// Made by \`coppice types\` from ${source}. Do not edit.\n`,
    names.usesHandles ? 'import type { ResourceHandle } from "coppice";\n' : "",
    `\n${head}export interface ${title} {\n${exported.join("\n")}}\n`,
    imported === ""
      ? ""
      : `\n/** What the component imports. */\nexport type ${title}Imports = {\n${imported}};\n`,
    ...names.definitions().map((definition) => `\n${definition}`),
  ].join("");
}

function importsOf(
  world: WitWorld,
  names: TypeNames,
  docs: ReadonlyMap<string, string>,
  owner: string,
): string {
  const functions = world.imports.map((each) => {
    const lines = documentation(each, docs, owner);
    return `${comment(lines, "  ")}  "${each.name}"(${params(each, names, "host")}): ${hostAnswer(each, names)};\n`;
  });
  const interfaces = world.importedInterfaces
    .filter(({ name, functions: own }) => !name.startsWith("wasi:") && own.length > 0)
    .map((each) => interfaceOf(each, names, docs));
  return [...functions, ...interfaces].join("\n");
}

function interfaceOf(
  { name, functions, resources }: WitInterface,
  names: TypeNames,
  docs: ReadonlyMap<string, string>,
): string {
  const lines = docs.get(withoutVersion(name))?.split("\n") ?? [];
  const classes = resources.map((resource) => {
    const own = functions.filter((each) => {
      const role = roleOf(each.name);
      return role.type !== "function" && role.resource === resource.name;
    });
    return names.hostClass(resource, own, (each, type) => member(each, names, docs, type));
  });
  const plain = functions.filter((each) => roleOf(each.name).type === "function");
  const members = plain.map((each) => member(each, names, docs, "function"));
  const body = [...classes, ...members].map((text) => indented(text)).join("\n");
  return `${comment(lines, "  ")}  "${name}": {\n${body}  };\n`;
}

/** A function of the host as a member of an object or a class. */
function member(
  each: WitFunction,
  names: TypeNames,
  docs: ReadonlyMap<string, string>,
  type: "function" | "method" | "static" | "constructor",
): string {
  const role = roleOf(each.name);
  const key = role.type === "constructor" ? "new " : camelCase(role.name);
  const list = params(each, names, "host", type === "method" ? 1 : 0);
  const result = type === "constructor" ? names.hostType(each.result!) : hostAnswer(each, names);
  return `${comment(documentation(each, docs, ""), "  ")}  ${key}(${list}): ${result};\n`;
}

function documentation(
  each: WitFunction,
  docs: ReadonlyMap<string, string>,
  owner: string,
): string[] {
  const key =
    each.interface === undefined
      ? `${owner}#${each.name}`
      : `${withoutVersion(each.interface)}#${each.name}`;
  const own = docs.get(key)?.split("\n") ?? [];
  const blank = own.length === 0 ? [] : [""];
  return [...own, ...blank, `WIT: \`${fullName(each)}: ${signatureOf(each)}\``];
}

function params(
  each: WitFunction,
  names: TypeNames,
  side: "caller" | "host" = "caller",
  first = 0,
): string {
  return each.params
    .slice(first)
    .map(
      ({ name, type }) =>
        `${identifier(name)}: ${side === "host" ? names.hostType(type) : names.typeOf(type)}`,
    )
    .join(", ");
}

/** The `err` of a result is thrown. */
function okOf(each: WitFunction): WitType | undefined {
  return each.result?.kind === "result" ? each.result.ok : each.result;
}

function answer(each: WitFunction, names: TypeNames): string {
  const ok = okOf(each);
  return ok === undefined ? "void" : names.typeOf(ok);
}

function hostAnswer(each: WitFunction, names: TypeNames): string {
  const ok = okOf(each);
  const type = ok === undefined ? "void" : names.hostType(ok);
  return `${type} | Promise<${type}>`;
}

/** Words that cannot be a parameter's name. */
const reserved: ReadonlySet<string> = new Set(
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield".split(
    " ",
  ),
);

function identifier(name: string): string {
  const key = camelCase(name);
  return reserved.has(key) ? `${key}_` : key;
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
