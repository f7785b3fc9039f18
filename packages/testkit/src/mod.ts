/**
 * What tests share: the contracts of the seams, a simulated clock, and faults.
 *
 * @module
 */
export { type ArtifactsUnderTest, describeArtifacts } from "./artifacts-contract.ts";
export { type FaultyStore, faultyStore, type StoreFaults } from "./faulty-store.ts";
export { type FaultyTransport, faultyTransport } from "./faulty-transport.ts";
export { type LinkFaults, noFaults } from "./link-faults.ts";
export { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";
export { describeStore, type StoreUnderTest } from "./store-contract.ts";
export { describeTransport, type NetworkUnderTest } from "./transport-contract.ts";
