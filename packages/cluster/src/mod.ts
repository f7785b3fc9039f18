/**
 * Nodes that form a cluster: names with leases, calls, links and monitors across nodes, pubsub, the open door.
 *
 * @module
 */
export type { AdminAnswer, AdminRequest, NameRow, NodeRow, ProcessRow } from "./admin.ts";
export { NodeNameTakenError, SignalTooLargeError, StartError } from "./errors.ts";
export { fromJson, toJson } from "./json.ts";
export type { NameEntry } from "./names.ts";
export {
  ClusterNode,
  type NodeCallOptions,
  type NodeOptions,
  type Ref,
  startNode,
} from "./node.ts";
export type { PubSub } from "./pubsub.ts";
