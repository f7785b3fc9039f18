/**
 * A handle that is dropped at the end of a scope: `await using`.
 *
 * @module
 */
import { CallError } from "@coppice/kernel";
import type { ResourceHandle } from "./handle-state.ts";

/** What calls the process of a handle: a reference to it, as `node.ref` gives. */
interface Callable {
  readonly call: (path: string, args: [ResourceHandle]) => Promise<unknown>;
}

/** A handle, and how it is dropped. */
export interface HeldHandle<Handle extends ResourceHandle> extends AsyncDisposable {
  readonly handle: Handle;
}

/**
 * Holds a handle until the end of the scope: `await using cart = held(await shop.call("cart.new", [100]), shop)`. A handle
 * that was moved or dropped before, and one whose process is gone, is left alone.
 *
 * @throws {CallError} at the end of the scope, if the destructor trapped or the process cannot be reached.
 */
export function held<Handle extends ResourceHandle>(
  handle: Handle,
  process: { readonly call: (path: never, args: never) => Promise<unknown> },
): HeldHandle<Handle> {
  const callable = process as unknown as Callable;
  const [owner, name] = handle.resource.split("#");
  const path = name === undefined ? `[resource-drop]${owner}` : `${owner}#[resource-drop]${name}`;
  return {
    handle,
    [Symbol.asyncDispose]: async () => {
      try {
        await callable.call(path, [handle]);
      } catch (thrown) {
        const isGone =
          thrown instanceof CallError &&
          (thrown.code === "bad_argument" || thrown.code === "noproc");
        if (!isGone) throw thrown;
      }
    },
  };
}
