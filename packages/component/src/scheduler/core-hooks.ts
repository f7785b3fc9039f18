/**
 * What a component's script sees in place of `WebAssembly`: the same, but every way into and out of the guest leads
 * through its scheduler.
 *
 * Functions that the script calls from JavaScript cannot wait, unless it makes them `promising`. Which of them it calls is
 * not known, so all are wrapped, and unwrapped again where one module is linked to another: between modules there is no
 * JavaScript.
 *
 * @module
 */
import { isReserved } from "@coppice/meter";
import type { Guest } from "./guest.ts";

type Run = (...args: unknown[]) => unknown;

/** A stand-in for `WebAssembly` that belongs to one guest. */
export interface GuestWebAssembly {
  /** In the form the script asks for: it awaits the instance. */
  readonly instantiate: (
    module: WebAssembly.Module,
    imports?: WebAssembly.Imports,
  ) => WebAssembly.Instance;
  /** Set by the script: its tables of resources, if it has any. */
  handleTables?: readonly (readonly number[] | undefined)[];
}

/** Makes what `guest`'s script is to use. Everything not named here is the real thing. */
export function guestWebAssembly(guest: Guest): GuestWebAssembly {
  const originals = new WeakMap<object, unknown>();
  const original = (value: unknown): unknown =>
    typeof value === "function" ? (originals.get(value) ?? value) : value;

  const wrapped = (value: unknown): unknown => {
    if (typeof value !== "function") return value;
    const plain: Run = (...args) => guest.plainly(() => (value as Run)(...args));
    originals.set(plain, value);
    return plain;
  };

  return Object.assign(Object.create(WebAssembly) as object, {
    instantiate: (module: WebAssembly.Module, imports: WebAssembly.Imports = {}) => {
      const exports = guest.instantiateCore(module, mapped(imports, original));
      const seen = Object.entries(exports).filter(([name]) => !isReserved(name));
      return { exports: Object.fromEntries(seen.map(([name, value]) => [name, wrapped(value)])) };
    },
    promising: (value: unknown): Run => {
      const run = WebAssembly.promising(original(value));
      return (...args) => guest.suspendably(() => run(...args));
    },
    Suspending: function suspending(run: Run): object {
      return new WebAssembly.Suspending((...args: unknown[]) => {
        const result = run(...args);
        return result instanceof Promise ? guest.hostCall(result) : result;
      });
    },
  });
}

function mapped(
  imports: WebAssembly.Imports,
  original: (value: unknown) => unknown,
): WebAssembly.Imports {
  const linked: Record<string, Record<string, unknown>> = {};
  for (const [module, values] of Object.entries(imports)) {
    const entries = Object.entries(values).map(([name, value]) => [name, original(value)] as const);
    linked[module] = Object.fromEntries(entries);
  }
  return linked;
}

/** The bit that jco's tables mark a link of the list of free places with. */
const freeFlag = 1 << 30;

/** How many resources are open in a script's tables: pairs, of which the first heads the list of free ones. */
export function openHandles(tables: readonly (readonly number[] | undefined)[]): number {
  let open = 0;
  for (const table of tables) {
    if (table === undefined) continue;
    open += table.length / 2 - 1;
    for (let free = table[0]! & ~freeFlag; free !== 0; free = table[free << 1]! & ~freeFlag)
      open -= 1;
  }
  return open;
}
