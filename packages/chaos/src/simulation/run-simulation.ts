/**
 * One simulated run: a cluster under a fault plan, then a cluster that must work again, and what is wrong with its history.
 *
 * @module
 */
import type { LogFields } from "@coppice/kernel";
import { simulatedCluster, type SimulatedCluster, type TraceLine } from "@coppice/testkit";
import type { Checker, History, Violation } from "../history.ts";
import { clockRateOf, type Fault, type FaultPlan, planEndMs } from "./fault-plan.ts";
import { faultPhaseMs } from "./generate-plan.ts";
import { findAnswersWithoutName, findLateAnswers, findStolenNames } from "./registry-checks.ts";
import { FaultInjector } from "./inject-faults.ts";
import { Recorder } from "./recorder.ts";
import { singletonNames } from "./workload-processes.ts";
import { Workload } from "./workload.ts";

/** The nodes of a simulated cluster. */
export const nodeNames = ["a", "b", "c"] as const;
/** How long all nodes may take to start at first, in milliseconds. */
const startMsMax = 5_000;
/** Once nothing goes wrong any more, every name answers every node within this time, in milliseconds. */
export const recoveryMsMax = 9_000;
/** How long each call waits meanwhile, and how often it is looked, in milliseconds. */
const recoveryCallMs = 1_000;
const lookMs = 50;
/** How long the history goes on after that, so that what is late is seen, in milliseconds. */
const quietMs = 1_500;

export interface SimulationOptions {
  readonly seed: number;
  readonly plan: FaultPlan;
  readonly checkers: readonly Checker[];
  readonly onTrace?: (line: TraceLine) => void;
  readonly onLog?: (node: string, fields: LogFields, message: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly plan: FaultPlan;
  readonly violations: readonly Violation[];
  readonly history: History;
  readonly sometimes: ReadonlyMap<string, number>;
  readonly traceHash: string;
  readonly simulatedMs: number;
}

/** Runs one seed with one plan. */
export async function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, plan, checkers, onTrace, onLog } = options;
  let cluster: SimulatedCluster | undefined = undefined;
  const recorder = new Recorder(() => cluster!.clock.now(), singletonNames);
  const workload = new Workload(recorder, () => cluster!.random);
  cluster = simulatedCluster({
    seed,
    nodes: nodeNames,
    clockRate: (name) => clockRateOf(plan, name),
    onStart: (node) => workload.begin(node),
    onDeposed: (name) => {
      recorder.reached("deposed");
      injector.deposed(name);
    },
    onEvent: (event) => {
      if (event.type === "ownership") recorder.keep(event);
      recorder.registry.push(event);
    },
    onLog: (node, _, fields, message) => {
      noteLog(recorder, fields);
      onLog?.(node, fields, message);
    },
    onTrace: (line) => {
      if (line.what === "ack lost" || line.what === "conflict") recorder.reached(line.what);
      onTrace?.(line);
    },
  });
  const injector = faultInjector(cluster, recorder, workload);
  const violations = await withUncaught(cluster, () =>
    runPhases(cluster, { plan, injector, workload }),
  );
  const { history } = recorder;
  return {
    seed,
    plan,
    violations: [
      ...violations,
      ...checkers.flatMap((check) => check(history)),
      ...recorder.strangeEnds,
      ...findStolenNames(recorder.registry),
      ...findLateAnswers(history, recorder.finished),
      ...findAnswersWithoutName(history, recorder.unregistered),
    ],
    history,
    sometimes: recorder.sometimes,
    traceHash: cluster.traceHash,
    simulatedMs: cluster.clock.now(),
  };
}

function faultInjector(
  cluster: SimulatedCluster,
  recorder: Recorder,
  workload: Workload,
): FaultInjector {
  const down = (name: string): void => workload.ended(name);
  return new FaultInjector(cluster, {
    began: (fault) => recorder.record(faultEvent(cluster, fault)),
    killed: down,
    stopping: (name) => workload.stopping(name),
    stopped: (name) => {
      recorder.reached("stopped in order");
      down(name);
    },
  });
}

async function runPhases(
  cluster: SimulatedCluster,
  parts: {
    readonly plan: FaultPlan;
    readonly injector: FaultInjector;
    readonly workload: Workload;
  },
): Promise<Violation[]> {
  const { plan, injector, workload } = parts;
  await cluster.start();
  const beganMs = cluster.clock.now();
  if (beganMs > startMsMax) return [violated("N4", `the nodes needed ${beganMs} ms to start`)];
  injector.inject(plan);
  const endMs = Math.max(faultPhaseMs, planEndMs(plan)) + 1;
  workload.run(cluster, beganMs + endMs);
  await cluster.advance(endMs);
  cluster.heal();
  const problems = await recover(cluster, workload);
  await cluster.advance(quietMs);
  return problems;
}

/** All is well again: every node has to run, and to reach every name, within the bound. */
async function recover(cluster: SimulatedCluster, workload: Workload): Promise<Violation[]> {
  const healedMs = cluster.clock.now();
  const left = (): number => healedMs + recoveryMsMax - cluster.clock.now();
  let failures: string[] = ["not all nodes run"];
  while (left() > 0 && failures.length > 0) {
    if (cluster.names.every((name) => cluster.isRunning(name))) {
      const calls = workload.callAll(recoveryCallMs);
      failures = calls.unanswered();
      for (
        let passedMs = 0;
        passedMs <= recoveryCallMs && failures.length > 0;
        passedMs += lookMs
      ) {
        await cluster.advance(lookMs);
        failures = calls.unanswered();
      }
    } else await cluster.advance(lookMs);
  }
  if (failures.length === 0) return [];
  const after = `${recoveryMsMax} ms after the last fault`;
  return [violated("N4", `${after} not every call is answered: ${failures.join("; ")}`)];
}

/** What is thrown where nobody catches it is a violation too. */
async function withUncaught(
  cluster: SimulatedCluster,
  run: () => Promise<Violation[]>,
): Promise<Violation[]> {
  const uncaught: Violation[] = [];
  const onRejection = (thrown: unknown): void => {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    uncaught.push(violated("R1", `at ${cluster.clock.now()} ms nobody caught: ${text}`));
  };
  process.on("unhandledRejection", onRejection);
  try {
    return [...(await run()), ...uncaught];
  } catch (thrown) {
    onRejection(thrown);
    return uncaught;
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

function violated(promise: string, message: string): Violation {
  return { promise, message, events: [] };
}

function faultEvent(cluster: SimulatedCluster, fault: Fault) {
  const untilMs = cluster.clock.now() + fault.durationMs;
  return { type: "fault", untilMs, kind: fault.kind, targets: fault.targets } as const;
}

/** Log lines that show that a run got somewhere. */
const loggedStates: Readonly<Record<string, string>> = {
  takeover: "takeover",
  session_lost: "session lost",
  session_expired: "session expired",
  session_renewal_failed: "renewal failed",
  claim_failed: "claim failed",
  channel_reopened: "channel reopened",
  messages_lost: "messages lost",
  broadcasts_lost: "broadcasts lost",
  singleton_stopped: "singleton stopped",
  name_lost: "registered name lost",
  name_release_failed: "name release failed",
};

function noteLog(recorder: Recorder, fields: LogFields): void {
  const { event, gone } = fields;
  if (event === "child_terminated") recorder.noteChildEnd(fields);
  if (event === "node_down")
    return recorder.reached(gone === true ? "node gone" : "node unreachable");
  const state = loggedStates[String(event)];
  if (state !== undefined) recorder.reached(state);
}
