/**
 * Promises under faults: workloads from a seed, and the checks of their histories.
 *
 * @module
 */
export type {
  CallEvent,
  CensusEvent,
  Checker,
  DeliveryEvent,
  DownEvent,
  ExecutionEvent,
  FaultEvent,
  GapEvent,
  History,
  HistoryEvent,
  LifeEvent,
  MonitorEvent,
  OutcomeEvent,
  OwnershipEvent,
  PublishEvent,
  Violation,
} from "./history.ts";
export { type Act, findStaleAct, type StaleAct } from "./owner-history.ts";
export { runOwnerWorkload, type WorkloadResult } from "./owner-workload.ts";
