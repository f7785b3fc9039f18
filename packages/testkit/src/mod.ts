/**
 * What tests share: simulated clusters, a simulated clock, and faults.
 *
 * @module
 */
export { eventually, type EventuallyOptions } from "./eventually.ts";
export { type FaultyStore, faultyStore, type StoreFaults } from "./faulty-store.ts";
export { type FaultyTransport, faultyTransport } from "./faulty-transport.ts";
export { type LinkFaults, noFaults } from "./link-faults.ts";
export { percentile } from "./percentile.ts";
export { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";
export type {
  ClusterEvent,
  ClusterFault,
  NameWrite,
  SessionWrite,
} from "./simulation/cluster-events.ts";
export {
  eventuallyMsDefault,
  runMsMax,
  SimulatedCluster,
  simulatedCluster,
  type SimulatedClusterOptions,
  startAgainMs,
} from "./simulation/simulated-cluster.ts";
export type { StoreViewFaults } from "./simulation/simulated-store-view.ts";
export type { StoreState } from "./simulation/simulated-store.ts";
export type { TraceLine } from "./simulation/trace.ts";
