/**
 * Coppice: supervise anything. The one package to import.
 *
 * @module
 */
export { type AppContext, type Application, type StartOptions, startNode } from "@coppice/cli";
export { type ClusterNode, type NameEntry, type Ref } from "@coppice/cluster";
export {
  buildJsComponent,
  component,
  type ComponentSpec,
  type HostFunction,
  WitError,
} from "@coppice/component";
export {
  CallError,
  type CallErrorCode,
  CoppiceError,
  type ExitReason,
  type Logger,
  Pid,
} from "@coppice/kernel";
export { each, html, liveServer, type LiveView, raw, type ViewContext } from "@coppice/live";
export {
  type ApplicationContext,
  type ApplicationRestart,
  Applications,
  type ApplicationSpec,
  callName,
  castName,
  type ChildFunction,
  type ChildSpec,
  defineApplication,
  functionChild,
  GenServer,
  LockBusyError,
  MaxChildrenError,
  NotRegisteredError,
  type OsExit,
  osProcess,
  type OsProcessSpec,
  type ProcessName,
  type Registered,
  Registry,
  type RegistryEvent,
  type RegistryOptions,
  sendName,
  serverChild,
  type ServerChildSpec,
  startWithName,
  supervisor,
  type SupervisorOptions,
  SupervisorRef,
  Task,
  type TaskEnded,
  TaskExitedError,
  type TaskOutcome,
  type TaskStream,
  taskSupervisor,
  TaskSupervisor,
  TaskTimeoutError,
  UnknownRegistryError,
  viaChild,
  type ViaName,
  whereisName,
  workerChild,
  type WorkerChildSpec,
} from "@coppice/otp";
