/**
 * WebAssembly components: built, compiled, sandboxed, and run as supervised processes. The only package that imports jco.
 *
 * @module
 */
export { type BuildOptions, buildJsComponent, buildTextComponent } from "./build.ts";
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
  type Instance,
  instantiate,
  type InstanceOptions,
} from "./instance.ts";
export {
  type CpuLimit,
  CpuLimitError,
  ThreadLostError,
  TooManyCallsError,
  TooManyInstancesError,
} from "./scheduler/errors.ts";
export type { GuestLimits } from "./scheduler/limits.ts";
export {
  componentSchedulers,
  type ComponentSchedulersSpec,
  type Placement,
} from "./scheduler/schedulers.ts";
export { Scheduler, type SchedulerOptions } from "./scheduler/scheduler.ts";
export {
  restoreSnapshot,
  SnapshotMismatchError,
  SnapshotRefusedError,
  takeSnapshot,
} from "./snapshot.ts";
export type { WitFunction, WitType, WitWorld } from "./wit-type.ts";
