/**
 * WebAssembly components: built, compiled, sandboxed, and run as supervised processes. The only package that imports jco.
 *
 * @module
 */
export { type BuildOptions, buildJsComponent } from "./build.ts";
export { type CompiledComponent, compileComponent, type CompileOptions } from "./compile.ts";
export { component, type ComponentSpec } from "./component.ts";
export {
  BadArgumentError,
  BuildError,
  ComponentNotFoundError,
  InstanceBusyError,
  InstanceDeadError,
  MissingImportError,
  NotAComponentError,
  TrapError,
  UnknownFunctionError,
  WitError,
} from "./errors.ts";
export {
  ComponentInstance,
  type HostFunction,
  instantiate,
  type InstanceOptions,
} from "./instance.ts";
export type { Preopen, Preopens } from "./wasi/files/files.ts";
export type { HttpLimits } from "./wasi/http/http-limits.ts";
export type { AccessRule } from "./wasi/net/access-policy.ts";
export type { Resolver } from "./wasi/net/resolver.ts";
export { GuestExitError, WasiOptionError } from "./wasi/wasi-errors.ts";
export type { WasiOptions } from "./wasi/wasi.ts";
export type { WitFunction, WitType, WitWorld } from "./wit-type.ts";
