/**
 * A kernel for tests that keeps its log, a clock that is set by hand, and supervisors whose children tell their starts and
 * stops to one trace.
 *
 * @module
 */
import {
  type Clock,
  describeReason,
  ExitError,
  type ExitReason,
  Kernel,
  type LogFields,
  type Pid,
  seededRandom,
  shutdown,
  type SpawnOptions,
  type StartResult,
  systemClock,
} from "@coppice/kernel";
import {
  type ChildRow,
  type ChildSpec,
  GenServer,
  startSupervisor,
  type SupervisorOptions,
  SupervisorRef,
} from "@coppice/otp";
import { expect, onTestFinished } from "vitest";

/** What the children of these tests crash with. */
export const fault = { type: "exit", value: "fault" } as const;

interface SetTimer {
  readonly atMs: number;
  readonly ms: number;
  readonly run: () => void;
}

/** A clock that moves only when it is told to. Turns of the event loop are real. */
export function settableClock() {
  let nowMs = 0;
  const timers = new Set<SetTimer>();
  const waiting = new Set<() => void>();
  const clock: Clock = {
    now: () => nowMs,
    wall: () => nowMs,
    soon: systemClock.soon,
    after: (ms, run) => {
      const timer = { atMs: nowMs + ms, ms, run };
      timers.add(timer);
      for (const look of waiting) look();
      return () => void timers.delete(timer);
    },
  };
  /** Moves time on and runs what comes due, in order. */
  const advance = (ms: number): void => {
    const untilMs = nowMs + ms;
    for (;;) {
      const due = [...timers].filter(({ atMs }) => atMs <= untilMs);
      const [next] = due.toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      timers.delete(next);
      nowMs = next.atMs;
      next.run();
    }
    nowMs = untilMs;
  };
  /** Resolves once `count` timers of exactly `ms` milliseconds wait. */
  const armed = (ms: number, count = 1): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if ([...timers].filter((timer) => timer.ms === ms).length < count) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { ...clock, advance, armed, pending: () => timers.size };
}

/** The machine's clock, for children that are restarted without end: only time that passes gives others a turn. */
export function runningClock(): ReturnType<typeof settableClock> {
  return { ...settableClock(), ...systemClock };
}

export function loggedKernel(clock: Clock = systemClock) {
  const logs: LogFields[] = [];
  /** What was logged at warn or error. */
  const alarms: LogFields[] = [];
  const waiting = new Set<() => void>();
  const keep = (fields: LogFields): void => {
    logs.push(fields);
    for (const wake of waiting) wake();
  };
  const alarm = (fields: LogFields): void => {
    alarms.push(fields);
    keep(fields);
  };
  const logger = { debug: keep, info: keep, warn: alarm, error: alarm };
  const kernel = new Kernel({
    node: "a",
    incarnation: "1",
    clock,
    random: seededRandom(1),
    logger,
  });
  /** The first log event that matches. */
  const logged = (matches: (fields: LogFields) => boolean): Promise<LogFields> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = logs.find(matches);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  /** The names of the events at warn or error. */
  const alarmed = (): unknown[] => alarms.map(({ event }) => event);
  const endOf = (pid: Pid | string): Promise<ExitReason> =>
    new Promise((resolve) => kernel.monitor(pid, resolve));
  return { kernel, logs, alarms, alarmed, logged, endOf };
}

/** The pid of what started. */
export function startedPid(result: StartResult): Pid {
  if (result.type !== "started") throw new Error(JSON.stringify(result));
  return result.pid;
}

/** Runs children under a supervisor until the test ends. */
export async function superviseChildren(...children: ChildSpec[]) {
  const base = loggedKernel();
  const { kernel } = base;
  const pid = startedPid(await startSupervisor(kernel, { strategy: "one_for_one", children }));
  const rows = async (): Promise<ChildRow[]> =>
    (await kernel.call(pid, "whichChildren", [])) as ChildRow[];
  const stop = (): Promise<ExitReason> =>
    new Promise((resolve) => {
      kernel.monitor(pid, resolve);
      kernel.exit(pid, shutdown);
    });
  onTestFinished(async () => void (await stop()));
  return { ...base, pid, rows, stop };
}

/**
 * Children that write `+id` when they start, `!id` when they cannot, and `-id reason` when they end by themselves or are
 * stopped.
 */
export function tracedChildren() {
  const trace: string[] = [];
  const broken = new Set<string>();
  class Traced extends GenServer {
    static override readonly trapExit = true;
    readonly id: string;
    constructor(id: string) {
      super();
      this.id = id;
    }
    override init(): void {
      trace.push(broken.has(this.id) ? `!${this.id}` : `+${this.id}`);
      if (broken.has(this.id)) throw new ExitError({ type: "exit", value: `${this.id} is broken` });
    }
    override terminate(reason: ExitReason): void {
      trace.push(`-${this.id} ${describeReason(reason)}`);
    }
    end(reason: ExitReason): void {
      throw new ExitError(reason);
    }
  }
  const child = (id: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
    id,
    name: id,
    start: [Traced, id],
    ...more,
  });
  return { trace, broken, child, Traced };
}

/** A kernel on a settable clock, traced children, and supervisors over them. */
export function tracedKernel(clock = settableClock()) {
  const base = loggedKernel(clock);
  const traced = tracedChildren();
  const { kernel } = base;
  /** Starts a supervisor; children given by id alone are traced ones. */
  const supervise = async (
    options: Omit<Partial<SupervisorOptions>, "children"> & {
      readonly children: readonly (ChildSpec | string)[];
    },
    spawnOptions: SpawnOptions = {},
  ) => {
    const children = options.children.map((each) =>
      typeof each === "string" ? traced.child(each) : each,
    );
    const all: SupervisorOptions = { strategy: "one_for_one", ...options, children };
    const pid = startedPid(await startSupervisor(kernel, all, spawnOptions));
    const ref = new SupervisorRef(kernel, pid);
    const ended = base.endOf(pid);
    const stop = (): Promise<ExitReason> => {
      kernel.exit(pid, shutdown);
      return ended;
    };
    return { pid, ref, ended, stop };
  };
  /** Ends a traced child with a reason. Its supervisor's next answer comes after it has dealt with that. */
  const end = async (id: string, reason: ExitReason = fault): Promise<void> => {
    await kernel.call(id, "end", [reason]).catch(() => {});
  };
  /** Forgets the trace and returns what it held. */
  const take = (): string[] => traced.trace.splice(0);
  return { ...base, ...traced, clock, supervise, end, take };
}

/** That nothing lives and nothing waits. A call's deadline may stay for one tick of it, which is let pass. */
export function expectNothingLeft(
  kernel: Kernel,
  clock: Pick<ReturnType<typeof settableClock>, "advance" | "pending">,
): void {
  clock.advance(10);
  expect({
    processes: kernel.processCount,
    clockTimers: clock.pending(),
    ...kernel.pending,
  }).toEqual({ processes: 0, clockTimers: 0, calls: 0, remoteMonitors: 0, timers: 0, aliases: 0 });
}
