/**
 * WebAssembly components: built, compiled, sandboxed, and run as supervised processes. The only package that imports jco.
 *
 * @module
 */
export { type BuildOptions, buildJsComponent, buildTextComponent } from "./build.ts";
export {
  type CompiledComponent,
  compileComponent,
  type CompileOptions,
  type InstantiateCore,
} from "./compile.ts";
export { component, type ComponentLimits, type ComponentSpec } from "./component.ts";
export {
  componentDigest,
  type ComponentSource,
  type ComponentStore,
  readSource as readComponent,
} from "./component-source.ts";
export { componentTypes, type ComponentTypesOptions } from "./component-typescript.ts";
export {
  BadArgumentError,
  BuildError,
  ComponentNotFoundError,
  ImportResultError,
  ImportTimeoutError,
  InstanceBusyError,
  InstanceDeadError,
  MissingImportError,
  NotAComponentError,
  PayloadLimitError,
  TrapError,
  type TrapDetails,
  UnknownFunctionError,
  WitError,
} from "./errors.ts";
export { type CallTarget, FunctionPaths } from "./function-paths.ts";
export { handlesMax, type ResourceHandle } from "./handle-state.ts";
export { type HeldHandle, held } from "./held-handle.ts";
export type { HostFunction, HostImport, HostImports } from "./host-imports.ts";
export type { HostClass } from "./host-resource.ts";
export {
  ComponentInstance,
  importMsDefault,
  type Instance,
  instantiate,
  type InstanceOptions,
  payloadBytesDefault,
} from "./instance.ts";
export {
  type CpuLimit,
  CpuLimitError,
  ThreadLostError,
  TooManyCallsError,
  TooManyInstancesError,
} from "./scheduler/errors.ts";
export { type GuestLimits, memoryBytesDefault } from "./scheduler/limits.ts";
export {
  componentSchedulers,
  type ComponentSchedulersSpec,
  type Placement,
  useComponentThreads,
} from "./scheduler/schedulers.ts";
export { Scheduler, type SchedulerOptions } from "./scheduler/scheduler.ts";
export { restoreSnapshot, takeSnapshot } from "./snapshot.ts";
export {
  SnapshotMismatchError,
  SnapshotRefusedError,
  SnapshotTooLargeError,
} from "./snapshot-errors.ts";
export type { Preopen, Preopens } from "./wasi/files/files.ts";
export type { HttpLimits } from "./wasi/http/http-limits.ts";
export type { AccessRule } from "./wasi/net/access-policy.ts";
export type { Resolver } from "./wasi/net/resolver.ts";
export { GuestExitError, WasiOptionError } from "./wasi/wasi-errors.ts";
export type { WasiOptions } from "./wasi/wasi.ts";
export { fullName, signatureOf } from "./wit-signature.ts";
export type { WitFunction, WitInterface, WitResource, WitType, WitWorld } from "./wit-type.ts";
