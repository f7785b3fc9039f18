/**
 * What tests share: the contracts of the seams.
 *
 * @module
 */
export { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";
export { describeStore, type StoreUnderTest } from "./store-contract.ts";
export { describeTransport, type NetworkUnderTest } from "./transport-contract.ts";
