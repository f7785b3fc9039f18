import { type ErrorData, ExitError, type ExitReason, shutdown } from "@coppice/kernel";
import { Task, TaskExitedError, type TaskOutcome, TaskTimeoutError } from "@coppice/otp";
import { expect, expectTypeOf, onTestFinished, test } from "vitest";
import { runExample } from "./example.ts";
import { countingKernel, endOf, within } from "./counting-kernel.ts";

const fault: ExitReason = { type: "exit", value: "fault" };
const forever = () => new Promise<never>(() => {});

/** A kernel that at the end of the test must hold no task, watcher, link or timer. */
function emptyAtTheEnd() {
  const { kernel, clock } = countingKernel();
  onTestFinished(async () => {
    expect(kernel.processes().filter(({ kind }) => kind === "task")).toEqual([]);
    for (const { pid } of kernel.processes()) kernel.exit(pid, { type: "kill" });
    expect({ watching: kernel.watching, links: kernel.links }).toEqual({ watching: 0, links: 0 });
    await clock.advance(20); // The deadlines of calls share a timer.
    expect(clock.pending()).toBe(0);
  });
  return { kernel, clock };
}

/** What a rejection is like. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.fail(`resolved with ${String(value)}`),
    (thrown: unknown) => thrown,
  );
}

test("C13: the owner awaits what the task returns", async () => {
  const { kernel } = emptyAtTheEnd();
  const { result } = within(kernel, async (self) => {
    const task = Task.async(self, async ({ pid }) => [pid.serial, "done"] as const);
    expect(task.owner).toEqual(self.pid);
    const [serial, text] = await task.await(self);
    return [serial === task.pid.serial, text];
  });
  expect(await result).toEqual([true, "done"]);
});

test("C13: a task is a process: it is listed, has an owner, and its signal fires when it is stopped", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(kernel, () => {});
  await owner.result;
  let signal: AbortSignal | undefined;
  const task = Task.async(
    owner.self(),
    (self) => {
      signal = self.signal;
      return forever();
    },
    { label: "work" },
  );
  await expect.poll(() => signal).toBeDefined();
  expect(kernel.info(task.pid)).toMatchObject({ kind: "task", label: "work", parent: owner.pid });
  expect(signal?.aborted).toBe(false);
  expect(await task.shutdown(owner.self())).toBeUndefined();
  expect(signal?.aborted).toBe(true);
  expect(kernel.isAlive(owner.pid)).toBe(true);
});

test("C13: a task that is called answers that it cannot be", async () => {
  const { kernel } = emptyAtTheEnd();
  const task = Task.async(kernel, forever);
  const refused = { code: "unknown_function", executed: "no" };
  await expect(kernel.call(task.pid, "x", [])).rejects.toMatchObject(refused);
  await task.shutdown(kernel);
});

test("C-169: what a task throws, raises or exits with is why await fails", async () => {
  const { kernel } = emptyAtTheEnd();
  const reasonOf = async (run: () => unknown): Promise<ExitReason> => {
    const thrown = await failure(Task.asyncNolink(kernel, run).await(kernel));
    expect(thrown).toBeInstanceOf(TaskExitedError);
    return (thrown as TaskExitedError).reason;
  };
  const raised = await reasonOf(() => {
    throw new TypeError("oops");
  });
  expect(raised).toMatchObject({ type: "error", error: { name: "TypeError", message: "oops" } });
  expect((raised as { error: ErrorData }).error.stack).toContain("task.test.ts");
  // OTP's {nocatch, Value}: a thrown value that is no error.
  const value = await reasonOf(() => Promise.reject("a value"));
  expect(value).toEqual({ type: "error", error: { name: "Thrown", message: "a value" } });
  const exited = await reasonOf(() => {
    throw new ExitError(fault);
  });
  expect(exited).toEqual(fault);
  expect(await reasonOf(() => Promise.reject(undefined))).toMatchObject({ type: "error" });
});

test("C-169: an owner that does not catch it ends with an error that names the task and its reason", async () => {
  const { kernel } = emptyAtTheEnd();
  const { pid } = within(kernel, (self) =>
    Task.asyncNolink(self, () => Promise.reject(new Error("inner"))).await(self),
  );
  const reason = (await endOf(kernel, pid)) as { error: ErrorData };
  // OTP wraps the reason with {Task, await, [task, 5000]}; here the error's code and details say the same.
  expect(reason.error).toMatchObject({ code: "task_exited", name: "TaskExitedError" });
  expect(reason.error.details).toMatchObject({ reason: { error: { message: "inner" } } });
});

test("C13: async links both ways: a crash ends an owner that does not trap exits, with the same reason", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(kernel, (self) => {
    Task.async(self, () => {
      throw new ExitError(fault);
    });
    return forever();
  });
  expect(await endOf(kernel, owner.pid)).toEqual(fault);
});

test("C13: an owner that traps exits gets the crash as a message and as the failure of await", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(
    kernel,
    (self) => failure(Task.async(self, () => Promise.reject(new ExitError(fault))).await(self)),
    { trapExit: true },
  );
  expect(await owner.result).toMatchObject({ code: "task_exited", reason: fault });
  await expect.poll(() => owner.inbox).toMatchObject([{ type: "exit", reason: fault }]);
});

test("C13: an owner that ends abnormally takes its linked tasks with it, and leaves the others", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(kernel, (self) => [
    Task.async(self, forever),
    Task.asyncNolink(self, forever),
  ]);
  const [linked, free] = await owner.result;
  kernel.exit(owner.pid, fault);
  expect(kernel.isAlive(linked!.pid)).toBe(false);
  expect(kernel.isAlive(free!.pid)).toBe(true);
  kernel.exit(free!.pid, shutdown);
});

test("C13: what a process starts after its end does not run", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(kernel, () => {});
  await owner.result;
  kernel.exit(owner.pid, fault);
  let ran = 0;
  const run = (): number => (ran += 1);
  for (const task of [Task.async(owner.self(), run), Task.asyncNolink(owner.self(), run)]) {
    expect(kernel.isAlive(task.pid)).toBe(false);
    expect(await failure(task.await(owner.self()))).toMatchObject({ name: "AbortError" });
  }
  expect(ran).toBe(0);
});

test("C-171: only the owner may await, yield or shut down a task", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(kernel, () => {});
  const other = within(kernel, () => {});
  await Promise.all([owner.result, other.result]);
  const task = Task.async(owner.self(), forever);
  const outside = Task.async(kernel, forever);
  const stranger = countingKernel().kernel;
  for (const [each, caller] of [
    [task, other.self()],
    [task, kernel],
    [outside, owner.self()],
    [outside, stranger],
  ] as const) {
    await expect(each.await(caller)).rejects.toThrow(TypeError);
    await expect(each.yield(caller)).rejects.toThrow("only its owner");
    await expect(each.shutdown(caller)).rejects.toThrow(TypeError);
  }
  await Promise.all([task.shutdown(owner.self()), outside.shutdown(kernel)]);
});

test("C13: await fails after five seconds unless it is said otherwise, and drops a late reply", async () => {
  const { kernel, clock } = emptyAtTheEnd();
  const work = Promise.withResolvers<string>();
  const task = Task.asyncNolink(kernel, () => work.promise);
  const thrown = failure(task.await(kernel));
  await clock.advance(4_999);
  expect(clock.pending()).toBe(1);
  await clock.advance(1);
  expect(await thrown).toBeInstanceOf(TaskTimeoutError);
  expect(await thrown).toMatchObject({ code: "task_timeout", timeoutMs: 5_000, task: task.pid });
  expect(kernel.isAlive(task.pid)).toBe(true); // Not linked: it keeps running.
  work.resolve("late");
  await endOf(kernel, task.pid);
  await expect(task.await(kernel)).rejects.toThrow("awaited or shut down before");
});

test("C13: an owner that ends because its task is late takes the linked task with it", async () => {
  const { kernel, clock } = emptyAtTheEnd();
  const owner = within(kernel, (self) => Task.async(self, forever).await(self, { timeoutMs: 10 }));
  const end = endOf(kernel, owner.pid);
  await clock.advance(10);
  expect(await end).toMatchObject({ error: { code: "task_timeout" } });
});

test("C13: yield answers with the result, with why there is none, or with nothing yet", async () => {
  const { kernel, clock } = emptyAtTheEnd();
  const work = Promise.withResolvers<number>();
  const task = Task.async(kernel, () => work.promise);
  const early = task.yield(kernel, { timeoutMs: 10 });
  await clock.advance(10);
  expect(await early).toBeUndefined();
  work.resolve(7);
  expect(await task.yield(kernel)).toEqual({ ok: true, value: 7 });
  await expect(task.yield(kernel)).rejects.toThrow(TypeError);
  const failing = Task.async(kernel, () => Promise.reject(new ExitError(fault)));
  expect(await failing.yield(kernel)).toEqual({ ok: false, reason: fault });
});

test("C13: shutdown keeps a result that came in time, and says why a task had crashed", async () => {
  const { kernel } = emptyAtTheEnd();
  const done = Task.async(kernel, () => "in time");
  const crashed = Task.async(kernel, () => Promise.reject(new ExitError(fault)));
  await Promise.all([endOf(kernel, done.pid), endOf(kernel, crashed.pid)]);
  expect(await done.shutdown(kernel)).toEqual({ ok: true, value: "in time" });
  expect(await crashed.shutdown(kernel)).toEqual({ ok: false, reason: fault });
  await expect(done.await(kernel)).rejects.toThrow(TypeError);
});

test("C13: shutdown kills a task that traps exits when its time is over, or at once with 0", async () => {
  const { kernel, clock } = emptyAtTheEnd();
  const owner = within(kernel, () => {});
  await owner.result;
  const stubborn = () =>
    Task.async(owner.self(), (self) => {
      self.trapExit(true);
      return forever();
    });
  const [patient, brutal] = [stubborn(), stubborn()];
  await clock.advance(0);
  const [patientEnd, brutalEnd] = [endOf(kernel, patient.pid), endOf(kernel, brutal.pid)];
  const stopping = patient.shutdown(owner.self(), { shutdownMs: 100 });
  expect(await brutal.shutdown(owner.self(), { shutdownMs: 0 })).toBeUndefined();
  expect(await brutalEnd).toEqual({ type: "killed" });
  await clock.advance(99);
  expect(kernel.isAlive(patient.pid)).toBe(true);
  await clock.advance(1);
  expect(await stopping).toBeUndefined();
  expect(await patientEnd).toEqual({ type: "killed" });
  expect(kernel.isAlive(owner.pid)).toBe(true);
});

test("C13: an owner that ends while it waits is told by its signal, and no timer is left", async () => {
  const { kernel, clock } = emptyAtTheEnd();
  const owner = within(kernel, (self) => failure(Task.asyncNolink(self, forever).await(self)));
  await clock.advance(0);
  kernel.exit(owner.pid, fault);
  expect(await owner.result).toMatchObject({ name: "AbortError" });
  expect(clock.pending()).toBe(0);
  for (const { kind, pid } of kernel.processes()) if (kind === "task") kernel.exit(pid, shutdown);
});

test("C13: with deliver the owner gets the outcome as one message, and does not wait", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(kernel, () => {}, { mailboxCapacity: 1 });
  await owner.result;
  const fine = Task.async(owner.self(), () => new URL("http://any.value/"), { deliver: true });
  const wrong = Task.asyncNolink(owner.self(), () => Promise.reject(new ExitError(fault)), {
    deliver: true,
  });
  await expect(fine.await(owner.self())).rejects.toThrow("as a message");
  await expect.poll(() => owner.inbox).toHaveLength(2);
  expect(owner.inbox).toEqual([
    {
      type: "info",
      message: {
        type: "task_ended",
        pid: fine.pid,
        outcome: { ok: true, value: new URL("http://any.value/") },
      },
    },
    {
      type: "info",
      message: { type: "task_ended", pid: wrong.pid, outcome: { ok: false, reason: fault } },
    },
  ]);
  expect(() => Task.async(kernel, forever, { deliver: true })).toThrow(TypeError);
});

test("times that are no times are refused", async () => {
  const { kernel } = emptyAtTheEnd();
  const task = Task.async(kernel, forever);
  for (const ms of [Number.NaN, -1, "5" as never]) {
    await expect(task.await(kernel, { timeoutMs: ms })).rejects.toThrow(RangeError);
    await expect(task.yield(kernel, { timeoutMs: ms })).rejects.toThrow(RangeError);
    await expect(task.shutdown(kernel, { shutdownMs: ms })).rejects.toThrow(RangeError);
  }
  await task.shutdown(kernel);
});

test("a task's result has the type its function returns", async () => {
  const { kernel } = emptyAtTheEnd();
  const value = Task.async(kernel, () => 1);
  const promised = Task.async(kernel, async () => ({ size: 1 }));
  expectTypeOf(value).toEqualTypeOf<Task<number>>();
  expectTypeOf(promised.await(kernel)).resolves.toEqualTypeOf<{ size: number }>();
  type Yielded = Awaited<ReturnType<typeof promised.yield>>;
  expectTypeOf<Yielded>().toEqualTypeOf<TaskOutcome<{ size: number }> | undefined>();
  // @ts-expect-error a task belongs to a process or to the code around a kernel
  await expect(value.await("anyone")).rejects.toThrow(Error);
  await Promise.all([value.shutdown(kernel), promised.shutdown(kernel)]);
});

test("twenty thousand tasks, most of them crashing, leave nothing", async () => {
  const { kernel } = emptyAtTheEnd();
  const tasks = Array.from({ length: 20_000 }, (_, index) =>
    Task.asyncNolink(kernel, () => {
      if (index % 10 !== 0) throw new Error("crash");
      return index;
    }),
  );
  const outcomes = await Promise.all(tasks.map((task) => task.yield(kernel)));
  expect(outcomes.filter((outcome) => outcome?.ok)).toHaveLength(2_000);
});

test("the example of tasks runs", async () => {
  await runExample("task.ts");
});
