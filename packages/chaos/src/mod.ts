/**
 * Promises under faults: workloads from a seed, and the checks of their histories.
 *
 * @module
 */
export { checkHistory, type CheckOptions } from "./checkers/check-history.ts";
export {
  budgetMsDefault,
  checkLinearizability,
  type Operation,
  operationsMax,
  type SequentialModel,
  unknownMax,
  type Verdict,
} from "./checkers/linearizability.ts";
export {
  type RegisterInput,
  registerModel,
  type RegisterOutput,
} from "./checkers/register-model.ts";
export type { Intensity } from "./checkers/supervisors.ts";
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
export { reportText } from "./report/report-text.ts";
export type {
  GapReportFigures,
  Machine,
  PromiseVerdict,
  RecoveryFigures,
  Report,
  Spread,
} from "./report/report.ts";
export { type Tenure, type Timeline, TimelineMeter } from "./report/timeline.ts";
export { writeReport } from "./report/write-report.ts";
export {
  exploreFaults,
  type ExploreOptions,
  FaultPlanFailedError,
} from "./simulation/explore-faults.ts";
export {
  describeFault,
  type Fault,
  type FaultKind,
  faultKinds,
  type FaultPlan,
} from "./simulation/fault-plan.ts";
export { generatePlan } from "./simulation/generate-plan.ts";
export {
  nodeNames,
  runSimulation,
  type SimulationOptions,
  type SimulationResult,
} from "./simulation/run-simulation.ts";
