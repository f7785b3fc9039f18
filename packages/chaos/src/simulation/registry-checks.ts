/**
 * Checks that need to know more than a history says: the sessions in the store, when a call's body was done, and when a
 * process was unregistered.
 *
 * @module
 */
import type { ClusterEvent } from "@coppice/testkit";
import type { CallEvent, ExecutionEvent, History, Violation } from "../history.ts";

/** N1: a name is taken from another life of a node only when that life's session is over, or by that node itself. */
export function findStolenNames(registry: readonly ClusterEvent[]): Violation[] {
  const violations: Violation[] = [];
  const lives = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const event of registry) {
    if (event.type === "session") {
      // Once it is over its names are free, also when the same life begins another.
      if (event.life !== lives.get(event.node))
        for (const [name, owner] of owners)
          if (owner === lives.get(event.node)) owners.delete(name);
      if (event.life === undefined) lives.delete(event.node);
      else lives.set(event.node, event.life);
    }
    if (event.type !== "ownership") continue;
    const { name, owner, by, atMs } = event;
    const before = owners.get(name);
    const [node = ""] = before?.split(".") ?? [];
    if (before !== undefined && before !== owner && by !== node && lives.get(node) === before)
      violations.push({
        promise: "N1",
        message: `at ${atMs.toFixed(1)} ms node ${by} took the name ${name} from ${before}, whose session stands`,
        events: [],
      });
    // Who writes without a session, because the write was late, has nothing that stands.
    const isProtected = owner !== undefined && lives.get(owner.split(".")[0]!) === owner;
    if (isProtected) owners.set(name, owner);
    else owners.delete(name);
  }
  return violations;
}

/** N3: what a body says that was done after a later epoch of its name had begun to act is no answer any more. */
export function findLateAnswers(
  history: History,
  finished: ReadonlyMap<string, number>,
): Violation[] {
  const executions = history.filter((event): event is ExecutionEvent => event.type === "execution");
  const byId = new Map(executions.map((execution) => [execution.id, execution]));
  return history.flatMap((outcome) => {
    if (outcome.type !== "outcome" || outcome.outcome !== "answer") return [];
    const doneMs = finished.get(outcome.id);
    const execution = byId.get(outcome.id);
    if (doneMs === undefined || execution === undefined) return [];
    const later = executions.find(
      ({ name, epoch, atMs }) =>
        name === execution.name && epoch > execution.epoch && atMs < doneMs,
    );
    if (later === undefined) return [];
    const message = `${outcome.id} was answered by epoch ${execution.epoch} of ${execution.name}, done at ${doneMs.toFixed(1)} ms, after epoch ${later.epoch} had acted at ${later.atMs.toFixed(1)} ms`;
    return [{ promise: "N3", message, events: [execution, later, outcome] }];
  });
}

/**
 * N3: a process that was unregistered is not reached by its name from its own node any more, also while the name cannot be
 * given up. Other nodes may not have heard of it.
 */
export function findAnswersWithoutName(
  history: History,
  unregistered: ReadonlyMap<string, number>,
): Violation[] {
  const calls = new Map<string, CallEvent>();
  const violations: Violation[] = [];
  for (const event of history) {
    if (event.type === "call") calls.set(event.id, event);
    if (event.type !== "execution") continue;
    const { id, pid } = event;
    const sinceMs = unregistered.get(pid);
    const call = calls.get(id);
    if (sinceMs === undefined || call === undefined || call.atMs <= sinceMs) continue;
    if (!pid.startsWith(`${call.caller}.`)) continue;
    const message = `${pid} ran ${id} of its own node to ${call.name}, made ${(call.atMs - sinceMs).toFixed(1)} ms after it was unregistered`;
    violations.push({ promise: "N3", message, events: [call, event] });
  }
  return violations;
}
