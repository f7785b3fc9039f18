/**
 * Runs anybody's own processes on simulated clusters under fault plans from seeds, until a test of theirs fails.
 *
 * @module
 */
import type { ClusterNode } from "@coppice/cluster";
import { CoppiceError } from "@coppice/kernel";
import { simulatedCluster, type SimulatedCluster } from "@coppice/testkit";
import {
  clockRateOf,
  describeFault,
  type FaultKind,
  faultKinds,
  type FaultPlan,
  planEndMs,
} from "./fault-plan.ts";
import { generatePlan } from "./generate-plan.ts";
import { FaultInjector } from "./inject-faults.ts";
import { shrinkPlan } from "./shrink-plan.ts";

/** How many seeds are run unless told otherwise. */
export const seedsDefault = 100;
const nodesDefault = ["a", "b", "c"] as const;

/** What is run, and when it fails. */
export interface ExploreOptions {
  /** Runs seed `from`, `from + 1`, and so on. Default: {@link seedsDefault}. */
  readonly seeds?: number;
  /** Default: 1. */
  readonly from?: number;
  /** Default: `a`, `b` and `c`. */
  readonly nodes?: readonly string[];
  /** What may go wrong. Default: everything. */
  readonly kinds?: readonly FaultKind[];
  /** What runs on each node, again in each of its lives. */
  readonly onStart: (node: ClusterNode) => unknown;
  /**
   * Begins what is to be disturbed, once the nodes run. Time does not move before it returns; when it returns a promise,
   * that goes on while the faults happen, and the run is not over before it settles.
   */
  readonly during: (cluster: SimulatedCluster) => unknown;
  /** Looks at the result, once nothing is wrong any more and every node runs. It throws if it is not as it has to be. */
  readonly after: (cluster: SimulatedCluster) => unknown;
}

/** A test did not hold under a fault plan. */
export class FaultPlanFailedError extends CoppiceError {
  static {
    this.prototype.name = "FaultPlanFailedError";
  }
  readonly code = "fault_plan_failed";
  readonly seed: number;
  /** The smallest that was found: each fault of it is needed. */
  readonly plan: FaultPlan;

  constructor(seed: number, plan: FaultPlan, options: { readonly cause: unknown }) {
    const { cause } = options;
    const what = cause instanceof Error ? cause.message : String(cause);
    const sentences = plan.map((fault) => `\n  ${describeFault(fault)}`).join("");
    super(`seed ${seed} fails: ${what}${sentences || "\n  without any fault"}`, options);
    this.seed = seed;
    this.plan = plan;
  }
}

/** Each seed gives one plan and one run; the same one each time. Returns how many were run, without a failure. */
export async function exploreFaults(options: ExploreOptions): Promise<number> {
  const { seeds = seedsDefault, from = 1, nodes = nodesDefault, kinds = faultKinds } = options;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const plan = generatePlan(seed, nodes, kinds);
    const failure = await failureOf(options, seed, plan);
    if (failure === undefined) continue;
    let cause = failure.thrown;
    const smallest = await shrinkPlan(plan, async (each) => {
      const again = await failureOf(options, seed, each);
      if (again !== undefined) cause = again.thrown;
      return again !== undefined;
    });
    throw new FaultPlanFailedError(seed, smallest, { cause });
  }
  return seeds;
}

/** Runs one seed. Returns what was thrown, if something was. */
async function failureOf(
  { nodes = nodesDefault, onStart, during, after }: ExploreOptions,
  seed: number,
  plan: FaultPlan,
): Promise<{ readonly thrown: unknown } | undefined> {
  const cluster = simulatedCluster({
    seed,
    nodes,
    onStart,
    clockRate: (name) => clockRateOf(plan, name),
    onDeposed: (name) => injector.deposed(name),
  });
  const nothing = (): void => {};
  const observer = { began: nothing, killed: nothing, stopping: nothing, stopped: nothing };
  const injector = new FaultInjector(cluster, observer);
  try {
    await cluster.start();
    injector.inject(plan);
    const disturbed = Promise.resolve(during(cluster));
    disturbed.catch(nothing); // Thrown below.
    await cluster.advance(planEndMs(plan) + 1);
    cluster.heal();
    await cluster.run(disturbed);
    await cluster.eventually(() => nodes.every((name) => cluster.isRunning(name)));
    await after(cluster);
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}
