/**
 * OTP's behaviours on the kernel: gen-servers and supervisors, with OTP's semantics.
 *
 * @module
 */
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
export { workerChild, type WorkerChildSpec } from "./worker-child.ts";
