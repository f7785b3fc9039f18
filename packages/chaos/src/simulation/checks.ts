/**
 * What the history of a simulated run is checked for.
 *
 * @module
 */
import type {
  CallEvent,
  Checker,
  ExecutionEvent,
  History,
  HistoryEvent,
  OutcomeEvent,
  Violation,
} from "../history.ts";

function violated(promise: string, message: string, ...events: HistoryEvent[]): Violation {
  return { promise, message, events };
}

function ofType<T extends HistoryEvent["type"]>(
  history: History,
  type: T,
): (HistoryEvent & { type: T })[] {
  return history.filter(
    (event): event is Extract<HistoryEvent, { type: T }> => event.type === type,
  );
}

/** How long after a fault its effects may last, in milliseconds. */
const calmMs = 1_000;

/** N2, N3 */
const checkEpochs: Checker = (history) => {
  const found: Violation[] = [];
  const latest = new Map<string, ExecutionEvent>();
  for (const event of ofType(history, "execution")) {
    const before = latest.get(event.name);
    if (before !== undefined && before.epoch > event.epoch)
      found.push(
        violated(
          "N3",
          `epoch ${event.epoch} of ${event.name} acted after ${before.epoch}`,
          before,
          event,
        ),
      );
    if (before !== undefined && before.epoch === event.epoch && before.pid !== event.pid)
      found.push(
        violated(
          "N1",
          `two processes acted for epoch ${event.epoch} of ${event.name}`,
          before,
          event,
        ),
      );
    if (before === undefined || before.epoch <= event.epoch) latest.set(event.name, event);
  }
  const calls = new Map(ofType(history, "call").map((call) => [call.id, call]));
  const accepted = new Map<string, OutcomeEvent>();
  for (const outcome of ofType(history, "outcome")) {
    if (outcome.outcome !== "answer" || outcome.epoch === undefined) continue;
    const call = calls.get(outcome.id)!;
    const key = `${call.caller} ${call.name}`;
    const before = accepted.get(key);
    if (before !== undefined && before.epoch! > outcome.epoch!)
      found.push(
        violated(
          "N2",
          `${call.caller} accepted epoch ${outcome.epoch} of ${call.name} after ${before.epoch}`,
          before,
          outcome,
        ),
      );
    else accepted.set(key, outcome);
  }
  return found;
};

/** C1, C2, C3 */
const checkCalls: Checker = (history) => {
  const found: Violation[] = [];
  const outcomes = Map.groupBy(ofType(history, "outcome"), ({ id }) => id);
  const executions = Map.groupBy(ofType(history, "execution"), ({ id }) => id);
  const gone = new Set(ofType(history, "end").map(({ pid }) => pid));
  const endMs = history.at(-1)?.atMs ?? 0;
  const calls = ofType(history, "call");
  for (const call of calls) {
    const ended = outcomes.get(call.id) ?? [];
    const ran = executions.get(call.id) ?? [];
    if (ended.length > 1) found.push(violated("C1", `${call.id} ended twice`, call, ...ended));
    if (ended.length === 0 && !gone.has(call.caller) && endMs - call.atMs > 6_000)
      found.push(violated("C1", `${call.id} never ended`, call));
    if (ran.length > 1) found.push(violated("C2", `${call.id} ran twice`, call, ...ran));
    if (ended[0]?.outcome === "no" && ran.length > 0)
      found.push(
        violated("C2", `${call.id} ran, and was said not to have`, call, ...ran, ended[0]),
      );
    if (ended[0]?.outcome === "answer" && ran.length === 0)
      found.push(violated("C2", `${call.id} was answered and did not run`, call, ended[0]));
  }
  return [...found, ...checkOrder(history)];
};

/** C3, where nothing goes wrong: a call that a fenced owner refused is sent again, behind those that were on their way. */
function checkOrder(history: History): Violation[] {
  const found: Violation[] = [];
  const faults = ofType(history, "fault");
  const isQuiet = (fromMs: number, toMs: number): boolean =>
    faults.every(({ atMs, untilMs }) => atMs > toMs || untilMs + calmMs < fromMs);
  const byId = new Map(ofType(history, "call").map((call) => [call.id, call]));
  const last = new Map<string, { call: CallEvent; event: ExecutionEvent }>();
  for (const event of ofType(history, "execution")) {
    const call = byId.get(event.id)!;
    const key = `${call.caller} ${call.name} ${event.pid}`;
    const before = last.get(key);
    const isBehind = before !== undefined && before.call.number > call.number;
    if (isBehind && isQuiet(call.atMs, event.atMs))
      found.push(violated("C3", `${call.id} started after ${before.call.id}`, before.event, event));
    last.set(key, { call, event });
  }
  return found;
}

/** P1 */
const checkNews: Checker = (history) => {
  const found: Violation[] = [];
  const last = new Map<string, number>();
  const missed = new Map<string, number>();
  for (const event of history) {
    if (event.type !== "delivery" && event.type !== "gap") continue;
    const key = `${event.subscriber} ${event.publisher}`;
    if (event.type === "gap") missed.set(key, (missed.get(key) ?? 0) + event.missed);
    else {
      const before = last.get(key);
      const gap = missed.get(key) ?? 0;
      missed.delete(key);
      last.set(key, event.number);
      if (before === undefined) continue;
      if (event.number <= before)
        found.push(violated("P1", `${key}: ${event.number} after ${before}`, event));
      else if (event.number - before - 1 !== gap)
        found.push(
          violated(
            "P1",
            `${key}: ${event.number} after ${before}, and ${gap} were reported`,
            event,
          ),
        );
    }
  }
  return found;
};

/** M1 */
const checkMonitors: Checker = (history) => {
  const found: Violation[] = [];
  const downs = Map.groupBy(ofType(history, "down"), ({ ref }) => ref);
  const stopped = new Map(ofType(history, "demonitor").map((event) => [event.ref, event]));
  const ends = new Map(ofType(history, "end").map((event) => [event.pid, event]));
  const endMs = history.at(-1)?.atMs ?? 0;
  for (const event of ofType(history, "monitor")) {
    const { ref, target, watcher } = event;
    const told = downs.get(ref) ?? [];
    if (told.length > 1) found.push(violated("M1", `${ref} fired twice`, event, ...told));
    const stop = stopped.get(ref);
    if (stop !== undefined && told.some(({ atMs }) => atMs > stop.atMs))
      found.push(violated("M1", `${ref} fired after it was stopped`, event, ...told));
    const end = ends.get(target);
    if (
      told.length === 0 &&
      stop === undefined &&
      end !== undefined &&
      !ends.has(watcher) &&
      endMs - end.atMs > 5_000
    )
      found.push(violated("M1", `${ref} did not fire`, event, end));
    if (end === undefined && told[0] !== undefined && told[0].reason !== "noconnection")
      found.push(
        violated("M1", `${ref} fired with ${told[0].reason}, and ${target} lives`, event, told[0]),
      );
  }
  return found;
};

/** S1, S2 */
const checkSupervisors: Checker = (history) => {
  const found: Violation[] = [];
  const living = new Map<string, HistoryEvent>();
  const starts = new Map<string, number[]>();
  for (const event of history) {
    if ((event.type !== "start" && event.type !== "end") || event.supervisor === undefined)
      continue;
    const key = `${event.supervisor} ${event.child}`;
    if (event.type === "end") {
      living.delete(key);
      continue;
    }
    const before = living.get(key);
    if (before !== undefined) found.push(violated("S1", `two children ${key}`, before, event));
    living.set(key, event);
    const times = starts.get(event.supervisor) ?? [];
    times.push(event.atMs);
    starts.set(event.supervisor, times);
    // Two first starts, three restarts within five seconds.
    const recent = times.slice(2).filter((atMs) => event.atMs - atMs < 3_800);
    if (recent.length > 3)
      found.push(violated("S2", `${event.supervisor} restarted ${recent.length} times`, event));
  }
  return found;
};

export const allCheckers: readonly Checker[] = [
  checkEpochs,
  checkCalls,
  checkNews,
  checkMonitors,
  checkSupervisors,
];
