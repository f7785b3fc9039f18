/**
 * Tools to test your own supervision trees with: simulated clusters, faults from a seed, checks of histories.
 *
 * @module
 */
export {
  type Checker,
  checkHistory,
  checkLinearizability,
  type CheckOptions,
  describeFault,
  exploreFaults,
  type ExploreOptions,
  type Fault,
  type FaultKind,
  faultKinds,
  type FaultPlan,
  FaultPlanFailedError,
  generatePlan,
  type History,
  type HistoryEvent,
  type Operation,
  type RegisterInput,
  registerModel,
  type RegisterOutput,
  type SequentialModel,
  type Verdict,
  type Violation,
} from "@coppice/chaos";
export {
  eventually,
  type EventuallyOptions,
  type SimulatedClock,
  simulatedClock,
  type SimulatedCluster,
  simulatedCluster,
  type SimulatedClusterOptions,
} from "@coppice/testkit";
