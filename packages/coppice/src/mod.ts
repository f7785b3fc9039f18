/**
 * Coppice: supervise anything. The one package to import.
 *
 * @module
 */
export { type AppContext, type Application, type StartOptions, startNode } from "@coppice/cli";
export { type ClusterNode, type NameEntry, type Ref } from "@coppice/cluster";
export {
  type AccessRule,
  buildJsComponent,
  buildTextComponent,
  component,
  componentDigest,
  type ComponentLimits,
  componentSchedulers,
  type ComponentSchedulersSpec,
  type ComponentSource,
  type ComponentSpec,
  type ComponentStore,
  componentTypes,
  GuestExitError,
  type GuestLimits,
  held,
  type HeldHandle,
  type HostFunction,
  type HostImports,
  type ResourceHandle,
  WasiOptionError,
  type WasiOptions,
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
