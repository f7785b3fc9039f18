/**
 * WIT types and signatures as text, for errors and documents.
 *
 * @module
 */
import { roleOf, type WitFunction, type WitType } from "./wit-type.ts";

/** A function's type as WIT writes it: `func(message: string) -> result<string, string>`. */
export function signatureOf({ params, result, async, name }: WitFunction): string {
  const role = roleOf(name).type;
  const shown = role === "method" ? params.slice(1) : params;
  const list = shown.map((param) => `${param.name}: ${typeText(param.type)}`).join(", ");
  const keyword = role === "function" || role === "method" ? "func" : `${role} func`;
  const head = role === "constructor" ? "constructor" : `${async ? "async " : ""}${keyword}`;
  const returns = result === undefined || role === "constructor" ? "" : ` -> ${typeText(result)}`;
  return `${head}(${list})${returns}`;
}

/** `example:shop/carts@1.2.0#[method]cart.add`; a function of the world has its name alone. */
export function fullName(target: {
  readonly name: string;
  readonly interface: string | undefined;
}): string {
  return target.interface === undefined ? target.name : `${target.interface}#${target.name}`;
}

/** A type as WIT writes it; named ones by their name. */
export function typeText(type: WitType): string {
  if (type.named !== undefined) return type.named.name;
  switch (type.kind) {
    case "primitive":
      return type.name;
    case "list":
      return `list<${typeText(type.of)}${type.length === undefined ? "" : `, ${type.length}`}>`;
    case "option":
      return `option<${typeText(type.of)}>`;
    case "result":
      return resultText(type.ok, type.err);
    case "tuple":
      return `tuple<${type.items.map(typeText).join(", ")}>`;
    case "own":
      return type.resource.name;
    case "borrow":
      return `borrow<${type.resource.name}>`;
    case "async":
      return type.what;
    default:
      return type.kind;
  }
}

function resultText(ok: WitType | undefined, err: WitType | undefined): string {
  if (ok === undefined && err === undefined) return "result";
  if (err === undefined) return `result<${typeText(ok!)}>`;
  return `result<${ok === undefined ? "_" : typeText(ok)}, ${typeText(err)}>`;
}
