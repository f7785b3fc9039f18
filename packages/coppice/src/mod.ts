/**
 * Coppice: supervise anything. The one package to import.
 *
 * @module
 */
export { type AppContext, type Application, type StartOptions, startNode } from "@coppice/cli";
export {
  AlreadyTrackedError,
  available,
  Broadcast,
  type ChildKind,
  ChildExistsError,
  ChildNotReadyError,
  type ClusterChild,
  type ClusterChildRow,
  ClusterNameTakenError,
  type ClusterNode,
  type ClusterSupervisor,
  type ClusterSupervisorOptions,
  type DrainResult,
  GroupEvent,
  MissedMessages,
  type NameEntry,
  NameTooLongError,
  NodeEvent,
  type NodeInfo,
  NoSuchChildError,
  NotRegisteredError,
  NotTrackedError,
  type Placement,
  PresenceDiff,
  type PresenceList,
  type Ref,
  type StateTransfer,
  type SubscribeOptions,
  type Target,
} from "@coppice/cluster";
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
  type ChildFunction,
  type ChildSpec,
  functionChild,
  GenServer,
  type OsExit,
  osProcess,
  type OsProcessSpec,
  serverChild,
  type ServerChildSpec,
  supervisor,
  type SupervisorOptions,
  SupervisorRef,
  workerChild,
  type WorkerChildSpec,
} from "@coppice/otp";
