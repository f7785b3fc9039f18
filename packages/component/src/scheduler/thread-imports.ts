/**
 * What a component on another thread asks of the host: by name, since functions do not cross threads.
 *
 * @module
 */
import { givenInterface, type HostFunction, type HostImports } from "../host-imports.ts";
import { fullName } from "../wit-signature.ts";
import { camelCase, passesStreams, type WitWorld } from "../wit-type.ts";

/** Why a component cannot run on another thread; undefined if it can. */
export function staysBecause(world: WitWorld, imports: HostImports): string | undefined {
  if (passesStreams(world)) return "it has streams or futures, which cannot be copied";
  const given = world.importedInterfaces.filter(({ name }) => givenInterface(imports, name));
  const taken = given.find(({ resources }) => resources.length > 0);
  return taken && `it takes resources of the host: ${taken.name}`;
}

/** The functions the host gives, by the names under which another thread gives them to the component. */
export function functionsByName(world: WitWorld, imports: HostImports): Map<string, HostFunction> {
  const found = new Map<string, HostFunction>();
  const add = (name: string, run: unknown, self: unknown): void => {
    if (typeof run !== "function") return; // What is missing is told where it is missed.
    found.set(name, (...args) => Reflect.apply(run, self, args) as unknown);
  };
  for (const { name } of world.imports)
    add(name, imports[name] ?? imports[camelCase(name)], undefined);
  for (const each of world.importedInterfaces) {
    const given = givenInterface(imports, each.name);
    for (const wanted of each.functions)
      add(fullName(wanted), given?.[wanted.name] ?? given?.[camelCase(wanted.name)], given);
  }
  return found;
}
