/**
 * Which methods of a gen-server can be called by name from other processes.
 *
 * @module
 */
import type { Outcome } from "@coppice/kernel";
import { GenServer } from "./gen-server.ts";

/** A method that can be called. */
export type ServerMethod = (this: GenServer, ...args: readonly unknown[]) => unknown;

const callbacks: ReadonlySet<string> = new Set([
  "constructor",
  "init",
  "handleInfo",
  "handleDown",
  "handleExit",
  "handleContinue",
  "handleTimeout",
  "terminate",
  "codeChange",
  "formatStatus",
  "save",
  "load",
]);

/** A class does not change: its methods are looked for once. */
const known = new WeakMap<object, ReadonlyMap<string, ServerMethod>>();

/**
 * The methods that the server's class and its ancestors below `GenServer` declare, by name. Not the callbacks, not names that
 * start with `_`, and nothing inherited from `Object`.
 */
export function serverMethods(server: GenServer): ReadonlyMap<string, ServerMethod> {
  const prototype = Object.getPrototypeOf(server) as object;
  const found = known.get(prototype);
  if (found !== undefined) return found;
  const methods = new Map<string, ServerMethod>();
  let owner = prototype;
  while (owner !== GenServer.prototype) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner)))
      if (isCallable(name) && !methods.has(name) && typeof value === "function")
        methods.set(name, value as ServerMethod);
    owner = Object.getPrototypeOf(owner) as object;
  }
  known.set(prototype, methods);
  return methods;
}

function isCallable(name: string): boolean {
  return !callbacks.has(name) && !name.startsWith("_");
}

/** The answer to a call of a method there is not. */
export function unknownMethod(server: GenServer, name: string): Outcome {
  const names = [...serverMethods(server).keys()];
  const has = names.length === 0 ? "it has no functions" : `it has ${names.join(", ")}`;
  const message = `${server.constructor.name} has no function ${name}; ${has}`;
  return { ok: false, failure: { code: "unknown_function", executed: "no", message } };
}
