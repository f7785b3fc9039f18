/**
 * Promises under faults: workloads from a seed, and the checks of their histories.
 *
 * @module
 */
export { type Act, findStaleAct, type StaleAct } from "./owner-history.ts";
export { runOwnerWorkload, type WorkloadResult } from "./owner-workload.ts";
