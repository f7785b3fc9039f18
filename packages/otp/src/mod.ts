/**
 * OTP's behaviours on the kernel: gen-servers and supervisors, with OTP's semantics.
 *
 * @module
 */
export {
  type ApplicationHalt,
  applicationHookMsMax,
  Applications,
  type ApplicationsOptions,
  type ApplicationStartOptions,
  type ApplicationStartResult,
  type RunningApplication,
} from "./application.ts";
export {
  ApplicationCycleError,
  ApplicationSpecError,
  UnknownApplicationError,
} from "./application-errors.ts";
export type { ApplicationRestart } from "./application-restart-policy.ts";
export {
  type ApplicationContext,
  type ApplicationSpec,
  defineApplication,
} from "./application-spec.ts";
export type { AutoShutdown } from "./auto-shutdown-policy.ts";
export {
  type ChildEnvironment,
  type ChildOverrides,
  childSpec,
  type ChildSpec,
  ChildSpecError,
  shutdownMsDefault,
  type StartChild,
} from "./child-spec.ts";
export {
  type DynamicChildSpec,
  dynamicSupervisor,
  type DynamicSupervisorOptions,
  DynamicSupervisorRef,
  type DynamicStart,
  startDynamicSupervisor,
} from "./dynamic-supervisor.ts";
export { type ChildFunction, functionChild } from "./function-child.ts";
export { genServer, startGenServer } from "./gen-server-process.ts";
export { GenServer, type GenServerClass } from "./gen-server.ts";
export { SupervisorRef } from "./manage-supervisor.ts";
export { localNames, type NamedStart, type Names } from "./names.ts";
export { type OsExit, osProcess, OsProcessError, type OsProcessSpec } from "./os-process.ts";
export {
  countPartitions,
  partitionFor,
  partitionsMax,
  partitionSupervisor,
  type PartitionSupervisorSpec,
  resizePartitions,
  whichPartitions,
} from "./partition-supervisor.ts";
export { request, type Request, RequestCollection, type Response } from "./requests.ts";
export {
  type Registered,
  type RegisterResult,
  Registry,
  registryEntriesMaxDefault,
  type RegistryEntry,
  type RegistryEvent,
  type RegistryOptions,
  type RegistryOwner,
  type UpdateResult,
} from "./registry.ts";
export {
  LockBusyError,
  NotRegisteredError,
  RegistryFullError,
  UnknownRegistryError,
} from "./registry-errors.ts";
export { registryKeyLengthMax } from "./registry-key.ts";
export { type LockOptions, lockTimeoutMsDefault, lockWaitersMax } from "./registry-locks.ts";
export {
  callName,
  castName,
  type ProcessName,
  sendName,
  startWithName,
  viaChild,
  type ViaChildSpec,
  type ViaName,
  whereisName,
} from "./registry-via.ts";
export { type RestartIntensity, restartIntensityDefault } from "./restart-intensity.ts";
export type { Restart, Strategy } from "./restart-policy.ts";
export { type Callable, ServerRef } from "./server-ref.ts";
export type { ServerSelf } from "./server-self.ts";
export { serverChild, type ServerChildSpec } from "./server-child.ts";
export { describeStartFailure } from "./start-failure.ts";
export { startSupervisor, supervisor } from "./start-supervisor.ts";
export type { ChildCounts, ChildResult, ChildRow } from "./supervisor-calls.ts";
export type { SupervisorOptions } from "./supervisor.ts";
export {
  changeCode,
  getState,
  getStatus,
  replaceState,
  resume,
  type ServerStatus,
  stopGenServer,
  suspend,
  type SystemOptions,
} from "./sys.ts";
export { isSystemCall, SystemEnvelope, type SystemRequest } from "./system-calls.ts";
export { Task, taskTimeoutMsDefault, type TaskWaitOptions } from "./task.ts";
export { MaxChildrenError, TaskExitedError, TaskTimeoutError } from "./task-errors.ts";
export type { TaskCaller } from "./task-owner.ts";
export type { TaskEnded, TaskFunction, TaskOptions, TaskOutcome } from "./task-process.ts";
export {
  streamConcurrencyDefault,
  type StreamFunction,
  type StreamInputs,
  type TaskStream,
  type TaskStreamOptions,
  type TaskStreamResult,
} from "./task-stream.ts";
export { streamBufferMax } from "./task-stream-state.ts";
export {
  taskChildrenMaxDefault,
  startTaskSupervisor,
  type StartTaskOptions,
  type StartTaskResult,
  type SupervisedTaskOptions,
  taskSupervisor,
  TaskSupervisor,
  type TaskSupervisorOptions,
  type TerminateTaskResult,
} from "./task-supervisor.ts";
export { workerChild, type WorkerChildSpec } from "./worker-child.ts";
