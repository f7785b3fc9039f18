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
export {
  describeFault,
  type Fault,
  type FaultKind,
  type FaultPlan,
} from "./simulation/fault-plan.ts";
export { generatePlan } from "./simulation/generate-plan.ts";
export {
  nodeNames,
  runSimulation,
  type SimulationOptions,
  type SimulationResult,
} from "./simulation/run-simulation.ts";
