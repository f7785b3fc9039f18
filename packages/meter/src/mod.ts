/**
 * Rewriting of core WebAssembly modules. Knows nothing of Node or of components.
 *
 * @module
 */
export { pageBytes } from "./ceilings.ts";
export { MalformedModuleError, MeterError, UnsupportedModuleError } from "./errors.ts";
export { gateAnswer } from "./fuel.ts";
export { arm, type ArmedInstance, createGate, type Gate, type GateHandlers } from "./gate.ts";
export { isReserved, reserved } from "./reserved-names.ts";
export { rewrite, type RewriteOptions, rewriteVersion } from "./rewrite.ts";
