/**
 * A worker thread that runs seeds, on production code as it is or with a planted bug.
 *
 * The code under test is loaded after the patches are in place, so nothing here imports it at the top.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Violation } from "../history.ts";
import type { FaultKind, FaultPlan } from "./fault-plan.ts";
import { patchSources, type SourcePatch } from "./source-patch.ts";

/** What a worker is made with. */
export interface WorkerData {
  readonly patches: readonly SourcePatch[];
  /** What may go wrong; nothing: everything. */
  readonly kinds: readonly FaultKind[] | undefined;
  /** Which seed runs now, for whoever waits too long. */
  readonly current: SharedArrayBuffer;
}

/** What a worker is asked. */
export type WorkerRequest =
  | {
      readonly type: "run";
      readonly from: number;
      readonly count: number;
      /** Ends with the first failure. */
      readonly stopAtFailure: boolean;
    }
  | { readonly type: "shrink"; readonly seed: number; readonly plan: FaultPlan };

/** A seed that broke a promise. */
export interface Failure {
  readonly seed: number;
  readonly plan: FaultPlan;
  readonly violations: readonly Violation[];
  readonly traceHash: string;
}

/** What it answers. */
export type WorkerAnswer =
  | {
      readonly type: "ran";
      readonly count: number;
      readonly simulatedMs: number;
      readonly sometimes: ReadonlyMap<string, number>;
      /** The hash of each seed's trace, in the order of seeds. */
      readonly traces: readonly string[];
      readonly failures: readonly Failure[];
    }
  | { readonly type: "shrunk"; readonly plan: FaultPlan; readonly violations: readonly Violation[] }
  | { readonly type: "broken"; readonly error: string };

const { patches, kinds, current } = workerData as WorkerData;
const seedNow = new Int32Array(current);
const applied = patchSources(patches);
const { allCheckers } = await import("./checks.ts");
const { generatePlan } = await import("./generate-plan.ts");
const { nodeNames, runSimulation } = await import("./run-simulation.ts");
const { shrinkPlan } = await import("./shrink-plan.ts");
Error.stackTraceLimit = 0; // Errors are made by the thousand.

const missing = patches.filter((patch) => !applied.has(patch));
if (missing.length > 0)
  throw new Error(`not loaded, so not patched: ${missing.map(({ file }) => file).join(", ")}`);

async function runSeeds({
  from,
  count,
  stopAtFailure,
}: WorkerRequest & { readonly type: "run" }): Promise<WorkerAnswer> {
  const sometimes = new Map<string, number>();
  const failures: Failure[] = [];
  const traces: string[] = [];
  let simulatedMs = 0;
  let ran = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    seedNow[0] = seed;
    const plan = generatePlan(seed, nodeNames, kinds);
    const result = await runSimulation({ seed, plan, checkers: allCheckers });
    simulatedMs += result.simulatedMs;
    for (const state of result.sometimes.keys())
      sometimes.set(state, (sometimes.get(state) ?? 0) + 1);
    const { violations, traceHash } = result;
    ran += 1;
    traces.push(traceHash);
    if (violations.length > 0) failures.push({ seed, plan, violations, traceHash });
    if (stopAtFailure && failures.length > 0) break;
  }
  return { type: "ran", count: ran, simulatedMs, sometimes, traces, failures };
}

async function shrink(seed: number, plan: FaultPlan): Promise<WorkerAnswer> {
  const violationsOf = async (each: FaultPlan): Promise<readonly Violation[]> =>
    (await runSimulation({ seed, plan: each, checkers: allCheckers })).violations;
  const before = new Set((await violationsOf(plan)).map(({ promise }) => promise));
  // A smaller plan counts when it breaks one of the same promises.
  const fails = async (each: FaultPlan): Promise<boolean> =>
    (await violationsOf(each)).some(({ promise }) => before.has(promise));
  const small = await shrinkPlan(plan, fails);
  return { type: "shrunk", plan: small, violations: await violationsOf(small) };
}

parentPort!.on("message", (request: WorkerRequest) => {
  const answer = request.type === "run" ? runSeeds(request) : shrink(request.seed, request.plan);
  answer.then(
    (result) => parentPort!.postMessage(result),
    (thrown: unknown) => {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      parentPort!.postMessage({ type: "broken", error } satisfies WorkerAnswer);
    },
  );
});
