/**
 * The contracts of the seams, as tests that run in vitest against each implementation.
 *
 * @module
 */
export { type ArtifactsUnderTest, describeArtifacts } from "./artifacts-contract.ts";
export { describeStore, type StoreUnderTest } from "./store-contract.ts";
export { describeTransport, type NetworkUnderTest } from "./transport-contract.ts";
