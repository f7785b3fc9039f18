/**
 * Nodes that form a cluster: names with leases, calls, links and monitors across nodes, pubsub, groups, presence, children
 * placed on any node, draining, the open door.
 *
 * @module
 */
export type { AdminAnswer, AdminRequest, NameRow, NodeRow, ProcessRow } from "./admin.ts";
export { available } from "./available.ts";
export type { NodeCallOptions, Target, Via } from "./call-by-name.ts";
export type { ClusterChild } from "./cluster-child.ts";
export type {
  ChildKind,
  ClusterSupervisorOptions,
  KindSpec,
} from "./cluster-supervisor-process.ts";
export {
  ChildExistsError,
  ChildNotReadyError,
  type ClusterChildCounts,
  type ClusterChildRow,
  ClusterSupervisor,
  NoSuchChildError,
} from "./cluster-supervisor.ts";
export type { DrainResult } from "./drain.ts";
export {
  ClusterNameTakenError,
  ClusterNameNotRegisteredError,
  NameTooLongError,
  NodeDeposedError,
  NodeNameTakenError,
  RegistryRegressedError,
  SignalTooLargeError,
  StartError,
} from "./errors.ts";
export { GroupEvent, type GroupMonitor, type Groups, type ScopeMonitor } from "./groups.ts";
export type { StateTransfer } from "./hand-off.ts";
export { fromJson, toJson } from "./json.ts";
export { leaseMsDefault, replicatedLeaseMsDefault } from "./lease-state.ts";
export { NameEvent } from "./name-monitors.ts";
export type { NameEntry } from "./names.ts";
export { NodeEvent } from "./node-event.ts";
export type { NodeLoad, NodeTraits } from "./node-traits.ts";
export type { NodeInfo } from "./node-view.ts";
export { ClusterNode, type NodeOptions, type Ref, startNode } from "./node.ts";
export { MissedMessages } from "./outlet.ts";
export type { Placement } from "./placement-policy.ts";
export type { PresenceChange, PresenceList, PresenceMeta } from "./presence-state.ts";
export { AlreadyTrackedError, NotTrackedError, type Presence, PresenceDiff } from "./presence.ts";
export { Broadcast, type PubSub, type SubscribeOptions } from "./pubsub.ts";
export type { NameMode } from "./singleton.ts";
