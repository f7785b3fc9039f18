/**
 * The size of the stacks guests run on.
 *
 * V8 keeps 4 MiB of them for reuse and never unmaps the rest: with stacks of 1 MiB, every call beyond four at once takes
 * a mebibyte of address space for good, and 128 TiB are gone after 138 million such calls. Smaller stacks make that four
 * times as many calls at once, and four times less for each.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";

/** The stack of one call, in KiB. A guest whose recursion needs more traps; its own stack in its memory is not affected. */
export const stackKiB = 256;

let limited = false;

/** Takes effect for stacks that do not exist yet, of the whole process: call it before any guest runs. */
export function limitStacks(): void {
  if (limited) return;
  limited = true;
  setFlagsFromString(`--wasm-stack-switching-stack-size=${stackKiB}`);
}
