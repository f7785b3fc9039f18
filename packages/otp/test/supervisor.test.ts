import {
  describeReason,
  ExitError,
  Kernel,
  type LogFields,
  type Pid,
  seededRandom,
  shutdown,
  systemClock,
} from "@coppice/kernel";
import {
  type ChildRow,
  type ChildSpec,
  GenServer,
  startSupervisor,
  type SupervisorOptions,
} from "@coppice/otp";
import { expect, test } from "vitest";

const fault = { type: "exit", value: "fault" } as const;

/** A supervisor over servers that note their starts and stops in `trace`. */
async function supervise(options: Partial<SupervisorOptions>, ids: readonly string[]) {
  const trace: string[] = [];
  const reports: LogFields[] = [];
  const keep = (fields: LogFields): void => void reports.push(fields);
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  let nowMs = 0;
  const clock = { ...systemClock, now: () => nowMs };
  const kernel = new Kernel({
    node: "a",
    incarnation: "1",
    clock,
    random: seededRandom(1),
    logger,
  });
  const broken = new Set<string>();
  const waiting = new Map<string, () => void>();
  class Traced extends GenServer {
    static override readonly trapExit = true;
    readonly id: string;
    constructor(id: string) {
      super();
      this.id = id;
    }
    override init(): void {
      if (broken.has(this.id)) throw new Error(`${this.id} is broken`);
      trace.push(`+${this.id}`);
      waiting.get(this.id)?.();
    }
    override terminate(): void {
      trace.push(`-${this.id}`);
    }
    crash(): void {
      throw new ExitError(fault);
    }
    leave(): void {
      throw new ExitError(shutdown);
    }
  }
  const children: ChildSpec[] = ids.map((id) => ({ id, name: id, start: [Traced, id] }));
  const result = await startSupervisor(kernel, { strategy: "one_for_one", children, ...options });
  if (result.type !== "started") throw new Error("the supervisor did not start");
  const { pid } = result;
  const rows = async (): Promise<ChildRow[]> =>
    (await kernel.call(pid, "whichChildren", [])) as ChildRow[];
  const crash = async (id: string, how = "crash"): Promise<void> => {
    const started = new Promise<void>((resolve) => waiting.set(id, resolve));
    await kernel.call(id, how, []).catch(() => {});
    await started;
  };
  const advance = (ms: number): void => {
    nowMs += ms;
  };
  return { kernel, pid, trace, reports, rows, crash, broken, advance, children };
}

function ended(kernel: Kernel, pid: Pid): Promise<string> {
  return new Promise((resolve) => kernel.monitor(pid, (reason) => resolve(describeReason(reason))));
}

test("C5.1: one_for_one restarts only the child that crashed", async () => {
  const { trace, crash, rows } = await supervise({}, ["a", "b", "c"]);
  await crash("b");
  expect(trace).toEqual(["+a", "+b", "+c", "-b", "+b"]);
  expect((await rows()).map(({ restarts }) => restarts)).toEqual([0, 1, 0]);
});

test("C5.2: one_for_all stops the others in reverse order and starts all in order", async () => {
  const { trace, crash, rows } = await supervise({ strategy: "one_for_all" }, ["a", "b", "c"]);
  await crash("b");
  await rows();
  expect(trace.slice(3)).toEqual(["-b", "-c", "-a", "+a", "+b", "+c"]);
});

test("C5.3: rest_for_one restarts the child and those started after it", async () => {
  const { trace, crash, rows } = await supervise({ strategy: "rest_for_one" }, [
    "a",
    "b",
    "c",
    "d",
  ]);
  await crash("b");
  await rows();
  expect(trace.slice(4)).toEqual(["-b", "-d", "-c", "+b", "+c", "+d"]);
});

test("C6.1: the fourth crash within five seconds ends the supervisor and its children", async () => {
  const { kernel, pid, crash, reports } = await supervise({}, ["a", "b"]);
  const end = ended(kernel, pid);
  for (let count = 0; count < 3; count += 1) await crash("a");
  await kernel.call("a", "crash", []).catch(() => {});
  expect(await end).toBe("shutdown");
  expect(kernel.processes()).toEqual([]);
  expect(reports.at(-1)).toMatchObject({ reason: "reached_max_restart_intensity", child: "a" });
});

test("C6.2: crashes further apart than the window never end the supervisor", async () => {
  const { crash, advance, rows } = await supervise({ maxRestarts: 1 }, ["a"]);
  for (let count = 0; count < 5; count += 1) {
    await crash("a");
    advance(6_001);
  }
  expect((await rows())[0]).toMatchObject({ restarts: 5, state: "running" });
});

test("C6.3: a child that never comes up again uses up the attempts and ends the supervisor", async () => {
  const { kernel, pid, broken, reports } = await supervise({}, ["a"]);
  const end = ended(kernel, pid);
  broken.add("a");
  kernel.cast("a", "crash", []);
  expect(await end).toBe("shutdown");
  expect(reports.filter(({ event }) => event === "start_error")).toHaveLength(3);
});

test("C4.1: a transient child that ends with shutdown keeps its spec and is not restarted", async () => {
  const { kernel, pid, rows, children } = await supervise({}, []);
  expect(children).toEqual([]);
  class Leaver extends GenServer {
    leave(): void {
      throw new ExitError(shutdown);
    }
  }
  const other = await startSupervisor(kernel, {
    strategy: "one_for_one",
    children: [{ id: "leaver", name: "leaver", restart: "transient", start: [Leaver] }],
  });
  if (other.type !== "started") throw new Error("not started");
  await kernel.call("leaver", "leave", []).catch(() => {});
  expect(await kernel.call(other.pid, "whichChildren", [])).toMatchObject([
    { id: "leaver", state: "stopped", pid: undefined },
  ]);
  expect([await rows(), kernel.isAlive(pid)]).toEqual([[], true]);
});

test("C3.2: when a child fails to start, those before it are stopped and the supervisor fails", async () => {
  const { kernel } = await supervise({}, []);
  class Broken extends GenServer {
    override init(): void {
      throw new Error("no disk");
    }
  }
  class Fine extends GenServer {}
  const result = await startSupervisor(kernel, {
    strategy: "one_for_one",
    children: [
      { id: "fine", start: [Fine] },
      { id: "broken", start: [Broken] },
    ],
  });
  expect(result).toMatchObject({
    type: "failed",
    reason: { type: "shutdown", detail: { failed_to_start_child: "broken" } },
  });
  expect(kernel.processes()).toHaveLength(1); // The empty supervisor of `supervise`.
});

test("C3.4: a supervisor stops its children in reverse order", async () => {
  const { kernel, pid, trace } = await supervise({}, ["a", "b"]);
  const end = ended(kernel, pid);
  kernel.exit(pid, shutdown);
  expect(await end).toBe("shutdown");
  expect(trace).toEqual(["+a", "+b", "-b", "-a"]);
});

test("C3.5: a child that does not stop in its time is killed, and that is reported", async () => {
  const { kernel, reports } = await supervise({}, []);
  const hanging = {
    id: "hanging",
    shutdownMs: 5,
    start: (options: object) =>
      kernel.start({ handle: () => new Promise<void>(() => {}) }, { ...options, trapExit: true }),
  };
  const result = await startSupervisor(kernel, { strategy: "one_for_one", children: [hanging] });
  if (result.type !== "started") throw new Error("not started");
  const end = ended(kernel, result.pid);
  kernel.exit(result.pid, shutdown);
  expect(await end).toBe("shutdown");
  expect(reports.at(-1)).toMatchObject({ event: "shutdown_error", reason: { type: "killed" } });
});

test("C7: children are stopped, restarted and deleted by id", async () => {
  const { kernel, pid, rows } = await supervise({}, ["a"]);
  const ask = (method: string, id = "a"): Promise<unknown> => kernel.call(pid, method, [id]);
  expect(await ask("deleteChild")).toEqual({ ok: false, error: "running" });
  expect(await ask("terminateChild")).toEqual({ ok: true });
  expect(await rows()).toMatchObject([{ state: "stopped" }]);
  expect(await ask("restartChild")).toMatchObject({ ok: true });
  expect(await ask("terminateChild", "nobody")).toEqual({ ok: false, error: "not_found" });
  await ask("terminateChild");
  expect(await ask("deleteChild")).toEqual({ ok: true });
  expect(await rows()).toEqual([]);
  await expect(ask("explode")).rejects.toThrow(/has no function explode; it has whichChildren/);
});
