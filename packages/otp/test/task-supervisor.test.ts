import { CallError, ExitError, type ExitReason, type Pid, shutdown } from "@coppice/kernel";
import {
  ChildSpecError,
  MaxChildrenError,
  startSupervisor,
  startTaskSupervisor,
  SupervisorRef,
  type Task,
  TaskExitedError,
  taskSupervisor,
  TaskSupervisor,
  type TaskSupervisorOptions,
} from "@coppice/otp";
import { expect, expectTypeOf, onTestFinished, test } from "vitest";
import { loggedKernel } from "./kernel.ts";
import { runExample } from "./example.ts";
import { countingKernel, endOf, within } from "./counting-kernel.ts";

const fault: ExitReason = { type: "exit", value: "fault" };
const forever = () => new Promise<never>(() => {});

/** A task supervisor, and what must be left when the test ends: nothing. */
async function supervised(options: TaskSupervisorOptions = {}) {
  const { kernel, clock } = countingKernel();
  const result = await startTaskSupervisor(kernel, options);
  if (result.type !== "started") throw new Error(JSON.stringify(result));
  const { pid } = result;
  const tasks = new TaskSupervisor(kernel, pid);
  const stop = async (): Promise<ExitReason> => {
    const end = endOf(kernel, pid);
    kernel.exit(pid, shutdown);
    return end;
  };
  onTestFinished(async () => {
    await stop();
    expect(kernel.processes().filter(({ kind }) => kind === "task")).toEqual([]);
    for (const { pid: left } of kernel.processes()) kernel.exit(left, { type: "kill" });
    expect({ watching: kernel.watching, links: kernel.links }).toEqual({ watching: 0, links: 0 });
    await clock.advance(20); // The deadlines of calls share a timer.
    expect(clock.pending()).toBe(0);
  });
  const owner = async (trapExit = false) => {
    const process = within(kernel, () => {}, { trapExit });
    await process.result;
    return process;
  };
  return { kernel, clock, tasks, pid, stop, owner };
}

test("C13: an async task is linked to its caller and to its supervisor", async () => {
  const { kernel, tasks, pid, owner } = await supervised();
  const caller = await owner();
  const value = await tasks.async(caller.self(), async () => 42);
  expect(await value.await(caller.self())).toBe(42);
  const running = await tasks.async(caller.self(), forever);
  expect(await tasks.children()).toEqual([running.pid]);
  expect(kernel.info(running.pid)).toMatchObject({ kind: "task", parent: pid });
  kernel.exit(caller.pid, fault);
  expect(kernel.isAlive(running.pid)).toBe(false);
  await expect.poll(() => tasks.children()).toEqual([]);

  const other = await owner();
  const end = endOf(kernel, other.pid);
  const failing = await tasks.async(other.self(), () => Promise.reject(new ExitError(fault)));
  expect(await end).toEqual(fault);
  expect(kernel.isAlive(failing.pid)).toBe(false);
});

test("C-161: an asyncNolink task is not linked to its caller; with deliver the caller gets its outcome", async () => {
  const { kernel, tasks, owner } = await supervised();
  const caller = await owner();
  const task = await tasks.asyncNolink(caller.self(), () => Promise.reject(new ExitError(fault)));
  expect(await task.yield(caller.self())).toEqual({ ok: false, reason: fault });
  expect(kernel.isAlive(caller.pid)).toBe(true);

  // OTP sends {ref, result} and DOWN to every owner; here `await` gets the outcome, or with `deliver` one message.
  const told = await tasks.asyncNolink(caller.self(), () => "done", { deliver: true });
  await expect.poll(() => caller.inbox).toHaveLength(1);
  const outcome = { ok: true, value: "done" };
  expect(caller.inbox[0]).toMatchObject({
    message: { type: "task_ended", pid: told.pid, outcome },
  });

  const free = await tasks.asyncNolink(caller.self(), forever);
  kernel.exit(caller.pid, fault);
  expect(kernel.isAlive(free.pid)).toBe(true);
});

test("C13: a task whose caller has ended meanwhile does not run", async () => {
  const { kernel, tasks, owner } = await supervised();
  const caller = await owner();
  let ran = false;
  const starting = tasks.async(caller.self(), () => {
    ran = true;
  });
  kernel.exit(caller.pid, fault);
  expect(kernel.isAlive((await starting).pid)).toBe(false);
  expect(ran).toBe(false);
});

test("C-163: at maxChildren async throws, and startChild answers max_children", async () => {
  const { tasks, kernel } = await supervised({ maxChildren: 1 });
  const first = await tasks.startChild(forever);
  expect(first.ok).toBe(true);
  const refused = "reached the maximum number of tasks (1)";
  await expect(tasks.async(kernel, forever)).rejects.toThrow(MaxChildrenError);
  await expect(tasks.asyncNolink(kernel, forever)).rejects.toThrow(refused);
  expect(await tasks.startChild(forever)).toEqual({ ok: false, error: "max_children" });
  if (first.ok) await tasks.terminateChild(first.pid);
  expect((await tasks.startChild(forever)).ok).toBe(true);
});

test("C-165: a permanent task that is killed runs again, a temporary one does not", async () => {
  const { kernel, tasks } = await supervised();
  const pids: Pid[] = [];
  const permanent = await tasks.startChild(
    ({ pid }) => {
      pids.push(pid);
      return forever();
    },
    { restart: "permanent" },
  );
  const temporary = await tasks.startChild(forever);
  await expect.poll(() => pids).toHaveLength(1);
  if (!permanent.ok || !temporary.ok) throw new Error("not started");
  kernel.exit(permanent.pid, { type: "kill" });
  kernel.exit(temporary.pid, { type: "kill" });
  await expect.poll(() => pids).toHaveLength(2);
  expect(await tasks.children()).toEqual([pids[1]]);
  expect(kernel.info(pids[1]!)?.restarts).toBe(1);
});

test("C-165: a transient task runs again after a crash, and not once its work is done", async () => {
  const { tasks } = await supervised();
  let runs = 0;
  await tasks.startChild(
    () => {
      runs += 1;
      if (runs < 3) throw new Error("again");
    },
    { restart: "transient" },
  );
  await expect.poll(async () => (await tasks.children()).length).toBe(0);
  expect(runs).toBe(3);
});

test("C6.1: a task that crashes too often ends its supervisor, and the tasks beside it", async () => {
  const { kernel, tasks, pid } = await supervised({ maxRestarts: 2 });
  let runs = 0;
  const beside = await tasks.asyncNolink(kernel, forever);
  const end = endOf(kernel, pid);
  await tasks.startChild(
    () => {
      runs += 1;
      throw new Error("always");
    },
    { restart: "permanent" },
  );
  expect(await end).toEqual(shutdown);
  expect(runs).toBe(3);
  expect(await beside.yield(kernel)).toEqual({ ok: false, reason: shutdown });
  await expect(tasks.children()).rejects.toMatchObject({ code: "noproc" });
  await expect(tasks.async(kernel, forever)).rejects.toThrow(CallError);
});

test("C-167: terminateChild stops a task; a second time it is not found, and no child is left", async () => {
  const { kernel, tasks } = await supervised();
  const task = await tasks.startChild(forever, { restart: "permanent" });
  if (!task.ok) throw new Error(task.error);
  const end = endOf(kernel, task.pid);
  expect(await tasks.terminateChild(task.pid)).toEqual({ ok: true });
  expect(await end).toEqual(shutdown);
  expect(await tasks.terminateChild(task.pid)).toEqual({ ok: false, error: "not_found" });
  expect(await tasks.children()).toEqual([]);
});

test("C3.4: all tasks are stopped at once, and those that trap exits are killed when their time is over", async () => {
  const { kernel, clock, tasks, pid } = await supervised();
  const stubborn = async (shutdownMs: number) => {
    const ready = Promise.withResolvers<void>();
    const task = await tasks.startChild(
      (self) => {
        self.trapExit(true);
        ready.resolve();
        return forever();
      },
      { shutdownMs },
    );
    await ready.promise;
    return task;
  };
  for (const shutdownMs of [0, 100, 100, 100]) await stubborn(shutdownMs);
  const end = endOf(kernel, pid);
  kernel.exit(pid, shutdown);
  await clock.advance(99);
  expect(kernel.processes()).toHaveLength(4);
  await clock.advance(1);
  expect(await end).toEqual(shutdown);
});

test("C8.2: tasks end with a supervisor that is killed", async () => {
  const { kernel, tasks, pid } = await supervised();
  const task = await tasks.asyncNolink(kernel, forever);
  kernel.exit(pid, { type: "kill" });
  expect(await task.yield(kernel)).toEqual({ ok: false, reason: { type: "killed" } });
});

test("C-169: what a supervised task throws is why await fails", async () => {
  const { kernel, tasks } = await supervised();
  const failing = await tasks.async(kernel, () => Promise.reject(new ExitError(fault)));
  await expect(failing.await(kernel)).rejects.toThrow(TaskExitedError);
});

test("C-171: a supervised task is awaited by its owner alone", async () => {
  const { kernel, tasks, owner } = await supervised();
  const [caller, other] = [await owner(), await owner()];
  const task = await tasks.async(caller.self(), forever);
  await expect(task.await(other.self())).rejects.toThrow(TypeError);
  await expect(task.await(kernel)).rejects.toThrow(TypeError);
});

test("C-173: a stream of supervised tasks that exit gives their reasons in input order", async () => {
  const { kernel, tasks, owner } = await supervised();
  const caller = await owner(true);
  const exits = (input: number): never => {
    throw new ExitError({ type: "exit", value: input });
  };
  const expected = [1, 2, 3].map((value) => ({ ok: false, reason: { type: "exit", value } }));
  const linked = tasks.asyncStream(caller.self(), [1, 2, 3], exits);
  expect(await Array.fromAsync(linked)).toEqual(expected);
  const free = tasks.asyncStreamNolink(kernel, [1, 2, 3], exits, { zipInputOnExit: true });
  const zipped = expected.map((result, index) => ({ ...result, input: index + 1 }));
  expect(await Array.fromAsync(free)).toEqual(zipped);
});

test("C-175: a stream that reaches maxChildren ends with an error, its tasks with it, and nothing leaks", async () => {
  const { tasks, owner } = await supervised({ maxChildren: 1 });
  const caller = await owner();
  let closed = false;
  function* source(): Generator<number> {
    try {
      for (let input = 0; ; input += 1) yield input;
    } finally {
      closed = true;
    }
  }
  const stream = tasks.asyncStream(caller.self(), source(), forever, { maxConcurrency: 2 });
  await expect(Array.fromAsync(stream)).rejects.toThrow(MaxChildrenError);
  expect(closed).toBe(true);
  await expect.poll(() => tasks.children()).toEqual([]);
});

test("C-175: a task that starts after its stream has ended is stopped", async () => {
  const { kernel, clock, tasks, owner } = await supervised();
  const ready = Promise.withResolvers<void>();
  const stubborn = await tasks.startChild(
    (self) => {
      self.trapExit(true);
      ready.resolve();
      return forever();
    },
    { shutdownMs: 100 },
  );
  await ready.promise;
  if (!stubborn.ok) throw new Error(stubborn.error);
  const stopping = tasks.terminateChild(stubborn.pid); // The supervisor is busy: requests wait.
  const caller = await owner();
  const next = tasks.asyncStreamNolink(caller.self(), [1], forever).next();
  await clock.advance(0);
  kernel.exit(caller.pid, fault);
  await expect(next).rejects.toMatchObject({ name: "AbortError" });
  await clock.advance(100);
  expect(await stopping).toEqual({ ok: true });
  await expect.poll(() => tasks.children()).toEqual([]);
});

test("C-177: a shutdown time that is none is refused, where the task would be started", async () => {
  const { kernel, tasks } = await supervised();
  const wrong = { shutdownMs: "unknown" as never };
  expect(() => tasks.asyncStream(kernel, [1], forever, wrong)).toThrow(RangeError);
  await expect(tasks.async(kernel, forever, wrong)).rejects.toThrow(ChildSpecError);
  await expect(tasks.startChild(forever, { shutdownMs: -1 })).rejects.toThrow("shutdownMs");
  await expect(tasks.startChild(forever, { restart: "never" as never })).rejects.toThrow("restart");
  expect(await tasks.children()).toEqual([]);
});

test("C-179: several named task supervisors are children whose ids are their names", async () => {
  const { kernel } = countingKernel();
  const result = await startSupervisor(kernel, {
    strategy: "one_for_one",
    children: ["one", "two", "three"].map((name) => taskSupervisor({ name, maxChildren: 9 })),
  });
  if (result.type !== "started") throw new Error(JSON.stringify(result));
  const rows = await new SupervisorRef(kernel, result.pid).whichChildren();
  expect(rows.map(({ id, type }) => [id, type])).toEqual([
    ["one", "supervisor"],
    ["two", "supervisor"],
    ["three", "supervisor"],
  ]);
  expect(rows.map(({ id }) => kernel.whereis(id))).toEqual(rows.map(({ pid }) => pid));
  const task = await new TaskSupervisor(kernel, "two").async(kernel, () => "from two");
  expect(await task.await(kernel)).toBe("from two");
  const end = endOf(kernel, result.pid);
  kernel.exit(result.pid, shutdown);
  await end;
  expect(kernel.processes()).toEqual([]);
});

test("C10: a task that crashes is reported by its supervisor, one that does its work is not", async () => {
  const { kernel, logs } = loggedKernel();
  const result = await startTaskSupervisor(kernel, {}, { name: "tasks" });
  const tasks = new TaskSupervisor(kernel, "tasks");
  await tasks.startChild(() => "fine", { label: "fine" });
  await tasks.startChild(() => Promise.reject(new ExitError(fault)), { label: "wrong" });
  await expect.poll(() => tasks.children()).toEqual([]);
  const reports = logs.filter(({ event }) => event === "child_terminated");
  expect(reports).toMatchObject([
    { supervisor: "tasks", child: "wrong", reason: fault, restart: "temporary", action: "drop" },
  ]);
  if (result.type === "started") kernel.exit(result.pid, shutdown);
  await expect.poll(() => kernel.processes()).toEqual([]);
});

test("options that are out of range are refused", async () => {
  const { kernel } = countingKernel();
  for (const options of [{ maxChildren: -1 }, { maxChildren: 1.5 }, { maxRestarts: -1 }])
    expect(() => startTaskSupervisor(kernel, options)).toThrow(RangeError);
  expect(() => startTaskSupervisor(kernel, { maxSeconds: 0 })).toThrow("maxSeconds");
});

test("a task supervisor that is called by hand says what to use", async () => {
  const { kernel, pid } = await supervised();
  await expect(kernel.call(pid, "anything", [])).rejects.toThrow("use a TaskSupervisor");
});

test("the types of supervised tasks follow their functions", async () => {
  const { kernel, tasks } = await supervised();
  const task = await tasks.async(kernel, async () => [1, "a"] as const);
  expectTypeOf(task).toEqualTypeOf<Task<readonly [1, "a"]>>();
  const [result] = await Array.fromAsync(tasks.asyncStreamNolink(kernel, ["a"], (s) => s.length));
  if (result?.ok === true) expectTypeOf(result.value).toEqualTypeOf<number>();
  expect(await task.await(kernel)).toEqual([1, "a"]);
});

test("many supervised tasks come and go, and leave nothing", async () => {
  const { kernel, tasks, pid } = await supervised();
  const started = await Promise.all(
    Array.from({ length: 5_000 }, (_, index) => tasks.asyncNolink(kernel, () => index)),
  );
  const values = await Promise.all(started.map((task) => task.await(kernel)));
  expect(values.at(-1)).toBe(4_999);
  await expect.poll(() => kernel.info(pid)?.details).toMatchObject({ tasks: 0 });
});

test("the example of task supervisors runs", async () => {
  await runExample("task-supervisor.ts");
});
