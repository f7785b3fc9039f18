import { ExitError, type ExitReason, type Kernel, shutdown } from "@coppice/kernel";
import { Task, type TaskStream, type TaskStreamResult, TaskTimeoutError } from "@coppice/otp";
import { expect, expectTypeOf, onTestFinished, test } from "vitest";
import { TaskStreamState } from "../src/task-stream-state.ts";
import { countingKernel, endOf, within } from "./counting-kernel.ts";

const forever = () => new Promise<never>(() => {});

/** A kernel that at the end of the test must hold no process, watcher, link or timer. */
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

function tasksOf(kernel: Kernel): number {
  return kernel.processes().filter(({ kind }) => kind === "task").length;
}

/** Work that ends when the test says so. */
function controlled<I>() {
  const gates = new Map<I, PromiseWithResolvers<string>>();
  const gate = (input: I): PromiseWithResolvers<string> => {
    const known = gates.get(input) ?? Promise.withResolvers<string>();
    gates.set(input, known);
    return known;
  };
  const started: I[] = [];
  const run = (input: I): Promise<string> => {
    started.push(input);
    return gate(input).promise;
  };
  const finish = (...inputs: readonly I[]): void => {
    for (const input of inputs) gate(input).resolve(`done ${String(input)}`);
  };
  return { run, started, finish };
}

/** Inputs that note how many of them were taken, and whether the consumer let go of them. */
function counted<I>(inputs: readonly I[]) {
  const seen = { taken: 0, closed: false };
  function* source(): Generator<I> {
    try {
      for (const input of inputs) {
        seen.taken += 1;
        yield input;
      }
    } finally {
      seen.closed = true;
    }
  }
  return { seen, source: source() };
}

test("C13: results come in the order of the inputs, however long each takes", async () => {
  const { kernel } = emptyAtTheEnd();
  const { run, finish } = controlled<number>();
  finish(3, 2);
  const stream = Task.asyncStream(kernel, [1, 2, 3], run);
  const first = stream.next();
  await expect.poll(() => tasksOf(kernel)).toBe(1);
  finish(1);
  const value = await first;
  expect(value).toEqual({ done: false, value: { ok: true, value: "done 1" } });
  expect(await Array.fromAsync(stream)).toEqual([
    { ok: true, value: "done 2" },
    { ok: true, value: "done 3" },
  ]);
});

test("C13: unordered, results come as they are there", async () => {
  const { kernel } = emptyAtTheEnd();
  const { run, started, finish } = controlled<number>();
  const stream = Task.asyncStream(kernel, [1, 2, 3], run, { ordered: false });
  const first = stream.next();
  await expect.poll(() => started).toEqual([1, 2, 3]);
  finish(3);
  expect((await first).value).toEqual({ ok: true, value: "done 3" });
  const second = stream.next();
  finish(2);
  expect((await second).value).toEqual({ ok: true, value: "done 2" });
  finish(1);
  expect(await Array.fromAsync(stream)).toEqual([{ ok: true, value: "done 1" }]);
});

test("C13: at most maxConcurrency tasks run, and inputs are taken as results are asked for", async () => {
  const { kernel } = emptyAtTheEnd();
  const { run, started, finish } = controlled<number>();
  const { source, seen } = counted([1, 2, 3, 4, 5, 6]);
  const stream = Task.asyncStream(kernel, source, run, { maxConcurrency: 2 });
  expect(seen.taken).toBe(0);
  const first = stream.next();
  await expect.poll(() => started).toEqual([1, 2]);
  expect(seen.taken).toBe(2);
  finish(1);
  await first;
  finish(2);
  await expect.poll(() => tasksOf(kernel)).toBeLessThan(2);
  expect(seen.taken).toBeLessThanOrEqual(3); // Nobody asks: nothing more is taken.
  finish(3, 4, 5, 6);
  expect(await Array.fromAsync(stream)).toHaveLength(5);
  expect(Math.max(...started)).toBe(6);
});

test("C13: an endless source is fine: what is taken is bounded by what is asked for", async () => {
  const { kernel } = emptyAtTheEnd();
  let taken = 0;
  function* naturals(): Generator<number> {
    while (true) yield (taken += 1);
  }
  const values: number[] = [];
  for await (const result of Task.asyncStream(kernel, naturals(), (n) => n * n, {
    maxConcurrency: 3,
  })) {
    if (result.ok) values.push(result.value);
    if (values.length === 10) break;
  }
  expect(values).toEqual([1, 4, 9, 16, 25, 36, 49, 64, 81, 100]);
  expect(taken).toBeLessThanOrEqual(10 + 3 + 1_000);
});

test("C13: when the consumer stops, tasks that still run are shut down and the source is closed", async () => {
  const { kernel } = emptyAtTheEnd();
  const { source, seen } = counted([1, 2, 3, 4, 5]);
  const stopped: number[] = [];
  const stream = Task.asyncStream(
    kernel,
    source,
    (input, { signal }) => {
      signal.addEventListener("abort", () => stopped.push(input));
      return input === 1 ? "first" : forever();
    },
    { maxConcurrency: 3, timeoutMs: Infinity },
  );
  for await (const result of stream) {
    expect(result).toEqual({ ok: true, value: "first" });
    await expect.poll(() => tasksOf(kernel)).toBeGreaterThan(0);
    break;
  }
  expect(tasksOf(kernel)).toBe(0);
  expect(stopped).toContain(2);
  expect(seen.closed).toBe(true);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test("C13: leftovers that trap exits are killed after shutdownMs", async () => {
  const { kernel, clock } = emptyAtTheEnd();
  const stream = Task.asyncStream(
    kernel,
    [1, 2],
    (input, self) => {
      self.trapExit(true);
      return input === 1 ? input : forever();
    },
    { timeoutMs: Infinity, shutdownMs: 50 },
  );
  expect((await stream.next()).value).toEqual({ ok: true, value: 1 });
  await expect.poll(() => tasksOf(kernel)).toBe(1);
  await clock.advance(0);
  const closing = stream.return();
  await clock.advance(49);
  expect(tasksOf(kernel)).toBe(1);
  await clock.advance(1);
  await closing;
});

test("C-173: for a caller that traps exits, tasks that exit are results, in input order", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(
    kernel,
    (self) =>
      Array.fromAsync(
        Task.asyncStream(self, [1, 2, 3], (input): number => {
          throw new ExitError({ type: "exit", value: input });
        }),
      ),
    { trapExit: true },
  );
  expect(await owner.result).toEqual(
    [1, 2, 3].map((value) => ({ ok: false, reason: { type: "exit", value } })),
  );
});

test("C13: for a caller that does not trap exits, the first crash ends it and the other tasks", async () => {
  const { kernel } = emptyAtTheEnd();
  const reason: ExitReason = { type: "exit", value: "crash" };
  const owner = within(kernel, (self) =>
    Array.fromAsync(
      Task.asyncStream(self, [1, 2, 3], (input) =>
        input === 2 ? Promise.reject(new ExitError(reason)) : forever(),
      ),
    ),
  );
  expect(await endOf(kernel, owner.pid)).toEqual(reason);
  await expect(owner.result).rejects.toMatchObject({ name: "AbortError" });
});

test("C13: tasks of a stream end with their owner even when that ends normally", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(kernel, async (self) => {
    const stream = Task.asyncStream(self, [1, 2], (input) => (input === 1 ? input : forever()));
    await stream.next();
    return stream;
  });
  await owner.result;
  await expect.poll(() => tasksOf(kernel)).toBe(1);
  owner.self().exit({ type: "normal" });
  await expect.poll(() => tasksOf(kernel)).toBe(0);
});

test("C13: an owner that traps exits finds no message of tasks that did their work", async () => {
  const { kernel } = emptyAtTheEnd();
  const owner = within(
    kernel,
    (self) => Array.fromAsync(Task.asyncStream(self, [1, 2, 3], (input) => input)),
    { trapExit: true },
  );
  expect(await owner.result).toHaveLength(3);
  owner.self().send(owner.pid, "last");
  await expect.poll(() => owner.inbox).toEqual([{ type: "info", message: "last" }]);
});

test("C13: onTimeout exit ends the stream with an error and stops every task", async () => {
  const { kernel, clock } = emptyAtTheEnd();
  const stream = Task.asyncStream(kernel, [1, 2], (input) => (input === 1 ? forever() : input), {
    timeoutMs: 100,
  });
  const result = Array.fromAsync(stream).catch((thrown: unknown) => thrown);
  await clock.advance(100);
  expect(await result).toBeInstanceOf(TaskTimeoutError);
  expect(tasksOf(kernel)).toBe(0);
});

test("C13: onTimeout kill_task kills the task alone, and zipInputOnExit says which input it was", async () => {
  const { kernel, clock } = emptyAtTheEnd();
  const owner = within(kernel, (self) =>
    Array.fromAsync(
      Task.asyncStream(self, ["a", "b", "c"], (input) => (input === "b" ? forever() : input), {
        timeoutMs: 100,
        onTimeout: "kill_task",
        zipInputOnExit: true,
      }),
    ),
  );
  await clock.advance(100);
  expect(await owner.result).toEqual([
    { ok: true, value: "a" },
    { ok: false, reason: { type: "exit", value: "timeout" }, input: "b" },
    { ok: true, value: "c" },
  ]);
  expect(kernel.isAlive(owner.pid)).toBe(true);
});

test("C13: an asynchronous source works, and one that fails ends the stream and its tasks", async () => {
  const { kernel } = emptyAtTheEnd();
  async function* source(): AsyncGenerator<number> {
    yield 1;
    yield 2;
    throw new Error("the source failed");
  }
  const seen: unknown[] = [];
  const consume = async (): Promise<void> => {
    const stream = Task.asyncStream(kernel, source(), (input) => (input === 1 ? input : forever()));
    for await (const result of stream) seen.push(result);
  };
  await expect(consume()).rejects.toThrow("the source failed");
  expect(tasksOf(kernel)).toBe(0);
});

test("C13: a source that never answers does not keep the consumer from stopping", async () => {
  const { kernel } = emptyAtTheEnd();
  async function* source(): AsyncGenerator<number> {
    yield 1;
    await forever();
  }
  const owner = within(kernel, async (self) => {
    const stream = Task.asyncStream(self, source(), (input) => input);
    for await (const result of stream) return result;
    return undefined;
  });
  expect(await owner.result).toEqual({ ok: true, value: 1 });
});

test("options that are out of range are refused before anything starts", () => {
  const { kernel } = emptyAtTheEnd();
  const options = [
    { maxConcurrency: 0 },
    { maxConcurrency: 1.5 },
    { timeoutMs: -1 },
    { shutdownMs: Number.NaN },
    { onTimeout: "ignore" as "exit" },
  ];
  for (const option of options)
    expect(() => Task.asyncStream(kernel, [1], (n) => n, option)).toThrow(RangeError);
});

test("the types of a stream's results follow the function and zipInputOnExit", () => {
  const { kernel } = emptyAtTheEnd();
  const plain = Task.asyncStream(kernel, ["a"], async (input) => input.length);
  expectTypeOf(plain).toEqualTypeOf<TaskStream<string, number>>();
  type Plain = TaskStreamResult<string, number>;
  expectTypeOf<Extract<Plain, { ok: false }>>().toEqualTypeOf<{
    readonly ok: false;
    readonly reason: ExitReason;
  }>();
  const zipped = Task.asyncStream(kernel, ["a"], () => 1, { zipInputOnExit: true });
  expectTypeOf(zipped).toEqualTypeOf<TaskStream<string, number, true>>();
  type Zipped = Extract<TaskStreamResult<string, number, true>, { ok: false }>;
  expectTypeOf<Zipped["input"]>().toEqualTypeOf<string>();
});

test("the order of a stream's results is decided without a process", () => {
  const ordered = new TaskStreamState<string>({ maxConcurrency: 2, ordered: true });
  expect([ordered.start(), ordered.start(), ordered.hasRoom]).toEqual([0, 1, false]);
  ordered.end(1, "b");
  expect([ordered.take(), ordered.hasRoom, ordered.isEmpty]).toEqual([undefined, true, false]);
  ordered.end(0, "a");
  expect([ordered.take(), ordered.take(), ordered.isEmpty]).toEqual(["a", "b", true]);
  // A slow first task: no more than a thousand results wait for it.
  const slow = new TaskStreamState<number>({ maxConcurrency: 2, ordered: true });
  slow.start();
  let others = 0;
  while (slow.hasRoom) {
    others += 1;
    slow.end(slow.start(), others);
  }
  expect([others, slow.take()]).toEqual([1_000, undefined]);
});

test("a thousand inputs through eight tasks, and nothing is left", async () => {
  const { kernel } = emptyAtTheEnd();
  const inputs = Array.from({ length: 1_000 }, (_, index) => index);
  const results = await Array.fromAsync(Task.asyncStream(kernel, inputs, async (n) => n + 1));
  expect(results.map((result) => result.ok && result.value)).toEqual(inputs.map((n) => n + 1));
  kernel.exit(kernel.spawn({ handle: () => {} }), shutdown);
});
