/**
 * Rewriting of core WebAssembly modules. Knows nothing of Node or of components.
 *
 * @module
 */
export { limitMemory, MeterError, pageBytes } from "./limit-memory.ts";
