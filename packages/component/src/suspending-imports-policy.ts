/**
 * Which imports may suspend the guest: jco has to know when it compiles. Pure.
 *
 * One that may suspend costs a call some microseconds more, and cannot be called where a guest cannot be suspended (its
 * start, its allocator, a destructor). Of WASI only what the sandbox may wait in suspends, and what the host replaces.
 *
 * @module
 */
import { wasiAsyncImports } from "./wasi/wasi-async-imports.ts";
import { fullName } from "./wit-signature.ts";
import { type WitFunction, type WitWorld, withoutVersion } from "./wit-type.ts";

const waiting: ReadonlySet<string> = new Set(wasiAsyncImports);

/** The names jco is told. `replaced` says whether the host gives an interface of WASI itself. */
export function suspendingImports(
  world: WitWorld,
  replaced: (interfaceName: string) => boolean,
): string[] {
  const ofInterfaces = world.importedInterfaces.flatMap(({ name, functions }) => {
    const all = !withoutVersion(name).startsWith("wasi:") || replaced(name);
    return all ? functions : functions.filter(waits);
  });
  // Of a function that WIT calls async jco knows by itself that it waits.
  const all = [...world.imports, ...ofInterfaces].filter((each) => !each.async);
  return all.map(fullName);
}

function waits(target: WitFunction): boolean {
  const owner = target.interface === undefined ? undefined : withoutVersion(target.interface);
  return waiting.has(fullName({ name: target.name, interface: owner }));
}

/** The names jco is told of exports: every one, so that none can be entered while another is suspended. */
export function suspendingExports(world: WitWorld): string[] {
  const ofInterfaces = world.exportedInterfaces.flatMap(({ functions }) => functions);
  return [...world.exports, ...ofInterfaces].map(fullName);
}
