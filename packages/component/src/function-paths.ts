/**
 * The functions a component exports, by every path they may be called by.
 *
 * A function of the world is called by its name. One of an interface by `example:shop/carts@1.2.0#total`, without the
 * version, by `carts#total` or `carts.total`, or by `total` alone; the functions of a resource by `cart.new`, `cart.add`,
 * `cart.drop` in place of `total`. A path that means two functions is refused.
 *
 * @module
 */
import { UnknownFunctionError } from "./errors.ts";
import {
  camelCase,
  roleOf,
  type WitFunction,
  type WitInterface,
  type WitResource,
  type WitWorld,
  withoutVersion,
} from "./wit-type.ts";
import { fullName } from "./wit-signature.ts";

/** What a path leads to. */
export type CallTarget =
  | { readonly type: "function"; readonly path: string; readonly function: WitFunction }
  /** Dropping a handle of a resource. */
  | { readonly type: "drop"; readonly path: string; readonly resource: WitResource };

/** How many functions an error lists. */
const listedMax = 40;

export class FunctionPaths {
  /** Every target, in the world's order, under the shortest path that means it alone. */
  readonly targets: readonly CallTarget[];
  readonly #byPath = new Map<string, CallTarget>();
  readonly #ambiguous = new Map<string, string[]>();

  constructor(world: WitWorld) {
    const found: { readonly full: string; readonly paths: string[]; readonly target: Untitled }[] =
      [];
    for (const each of world.exports)
      found.push({
        full: each.name,
        paths: [camelCase(each.name)],
        target: { type: "function", function: each },
      });
    for (const each of world.exportedInterfaces) found.push(...targetsOf(each));
    const counts = new Map<string, string[]>();
    for (const { full, paths } of found)
      for (const path of new Set(paths)) counts.set(path, [...(counts.get(path) ?? []), full]);
    const exact = new Set(found.map(({ full }) => full));
    for (const [path, fulls] of counts)
      if (fulls.length > 1 && !exact.has(path)) this.#ambiguous.set(path, fulls);
    this.targets = found.map(({ full, paths, target }) => {
      const own = paths.filter((path) => counts.get(path)!.length === 1 && !exact.has(path));
      // The paths are in order of preference; a function of the world has its own name.
      const isOfWorld = target.type === "function" && target.function.interface === undefined;
      const titled = { ...target, path: isOfWorld ? full : (own[0] ?? full) } as CallTarget;
      for (const path of own) this.#byPath.set(path, titled);
      return titled;
    });
    for (const [index, { full }] of found.entries()) this.#byPath.set(full, this.targets[index]!);
  }

  /** @throws {UnknownFunctionError} listing what exists, or what an ambiguous path may mean. */
  find(path: string): CallTarget {
    const found = this.#byPath.get(path);
    if (found !== undefined) return found;
    const meant = this.#ambiguous.get(path);
    if (meant !== undefined)
      throw new UnknownFunctionError(
        path,
        `${path} means more than one function: use one of ${meant.join(", ")}`,
      );
    const known = this.targets.map((target) => target.path);
    const more = known.length > listedMax ? `, and ${known.length - listedMax} more` : "";
    const list = known.length === 0 ? "none" : known.slice(0, listedMax).join(", ") + more;
    throw new UnknownFunctionError(
      path,
      `the component has no function ${path}; it exports ${list}`,
    );
  }
}

type Untitled =
  | { readonly type: "function"; readonly function: WitFunction }
  | { readonly type: "drop"; readonly resource: WitResource };

interface Found {
  readonly full: string;
  /** Besides the full name, the preferred one first. */
  readonly paths: string[];
  readonly target: Untitled;
}

function targetsOf(owner: WitInterface): Found[] {
  const functions = owner.functions.map((each): Found => {
    const target: Untitled = { type: "function", function: each };
    return {
      full: fullName(each),
      paths: pathsOf(owner.name, each.name, localNames(each)),
      target,
    };
  });
  const drops = owner.resources
    .filter(({ madeBy }) => madeBy === "component")
    .map((resource): Found => {
      const name = `[resource-drop]${resource.name}`;
      const target: Untitled = { type: "drop", resource };
      return {
        full: `${owner.name}#${name}`,
        paths: pathsOf(owner.name, name, both(`${resource.name}.drop`)),
        target,
      };
    });
  return [...functions, ...drops];
}

function localNames(target: WitFunction): string[] {
  const role = roleOf(target.name);
  switch (role.type) {
    case "function":
      return both(role.name);
    case "constructor":
      return both(`${role.resource}.new`);
    case "method":
    case "static":
      return both(`${role.resource}.${role.name}`);
  }
}

/** In kebab-case and in camelCase. */
function both(name: string): string[] {
  return [name, name.split(".").map(camelCase).join(".")];
}

function pathsOf(owner: string, name: string, locals: readonly string[]): string[] {
  const bare = withoutVersion(owner);
  const short = bare.slice(bare.lastIndexOf("/") + 1);
  const prefixes = [...new Set([short, bare, owner])];
  const dotted = prefixes.flatMap((prefix) => locals.map((local) => `${prefix}.${local}`));
  const hashed = prefixes.flatMap((prefix) =>
    [name, ...locals].map((local) => `${prefix}#${local}`),
  );
  return [...dotted, ...hashed, ...locals];
}
