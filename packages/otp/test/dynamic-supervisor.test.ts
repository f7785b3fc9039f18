import { type ExitReason, isNormalLike, kill, killed, normal, shutdown } from "@coppice/kernel";
import {
  type DynamicChildSpec,
  dynamicSupervisor,
  DynamicSupervisorRef,
  type DynamicStart,
  startDynamicSupervisor,
} from "@coppice/otp";
import { expect, expectTypeOf, test } from "vitest";
import { expectNothingLeft, fault, runningClock, startedPid } from "./kernel.ts";
import { dynamicKernel } from "./dynamic.ts";

const ignored = async () => ({ type: "ignored" }) as const;
const detailed: ExitReason = { type: "shutdown", detail: "oops" };

test("C11.1: by default it tolerates 3 restarts in 5 seconds, and has any number of children", async () => {
  const { kernel, dynamic } = dynamicKernel();
  const { pid } = await dynamic();
  expect(kernel.info(pid)?.details).toEqual({
    strategy: "one_for_one",
    maxRestarts: 3,
    maxSeconds: 5,
    children: 0,
  });
});

test.each([
  ["maxRestarts", -1],
  ["maxSeconds", 0],
  ["maxChildren", -1],
  ["maxChildren", 1.5],
  ["maxChildren", Number.NaN],
])("C-101: a dynamic supervisor with %s %s is refused", async (option, value) => {
  const { kernel } = dynamicKernel();
  const starting = startDynamicSupervisor(kernel, { [option]: value });
  await expect(starting).rejects.toThrow(RangeError);
  await expect(starting).rejects.toThrow(new RegExp(`^${option} must be`));
  expect(kernel.processCount).toBe(0);
});

test("C-101: there is no strategy, no autoShutdown and no init callback: the compiler refuses them", async () => {
  const { kernel } = dynamicKernel();
  // @ts-expect-error -- a dynamic supervisor restarts one for one, always.
  const result = await startDynamicSupervisor(kernel, { strategy: "one_for_all" });
  expect(kernel.info(startedPid(result))?.details).toMatchObject({ strategy: "one_for_one" });
  // @ts-expect-error -- its children cannot be significant.
  startedPid(await startDynamicSupervisor(kernel, { autoShutdown: "any_significant" }));
});

test("C-103: there are no extra arguments: what all children share, the start closes over", async () => {
  const { dynamic, kernel, Traced, end, trace } = dynamicKernel();
  const shared = "shared";
  const spec = (id: string): DynamicChildSpec => ({ name: id, start: [Traced, `${shared} ${id}`] });
  const { ref } = await dynamic();
  await ref.startChild(spec("a"));
  await end("a");
  await ref.countChildren();
  expect(trace).toEqual(["+shared a", "-shared a exit fault", "+shared a"]);
  expect(kernel.whereis("a")).toBeDefined();
});

test("C-075: a child that crashes is restarted with the arguments it was started with", async () => {
  const { dynamic, Traced, end, take } = dynamicKernel();
  const { ref } = await dynamic();
  for (const each of ["one", "two"]) await ref.startChild({ name: each, start: [Traced, each] });
  take();
  await end("one");
  expect(await ref.countChildren()).toMatchObject({ active: 2 });
  expect(take()).toEqual(["-one exit fault", "+one"]);
});

test("C-077: a child that chooses not to run is not counted", async () => {
  const { dynamic } = dynamicKernel();
  const { ref } = await dynamic();
  expect(await ref.startChild({ start: ignored })).toEqual({ type: "ignored" });
  expect(await ref.countChildren()).toMatchObject({ specs: 0, active: 0 });
});

test("C-105: startChild answers what became of the start: started, ignored, failed; there is no info beside", async () => {
  const { dynamic, child, broken, kernel } = dynamicKernel();
  const { ref } = await dynamic();
  expect(await ref.startChild(child("a"))).toEqual({ type: "started", pid: kernel.whereis("a") });
  expect(await ref.startChild({ start: ignored })).toEqual({ type: "ignored" });
  broken.add("b");
  const reason = { type: "exit", value: "b is broken" };
  expect(await ref.startChild(child("b"))).toEqual({ type: "failed", reason });
  const junk = { start: async () => "junk" } as unknown as DynamicChildSpec;
  expect(await ref.startChild(junk)).toEqual({
    type: "failed",
    reason: { type: "exit", value: { bad_return_value: "junk" } },
  });
  const throwing = {
    start: () => {
      throw new TypeError("no");
    },
  };
  expect(await ref.startChild(throwing)).toMatchObject({
    type: "failed",
    reason: { type: "error", error: { name: "TypeError", message: "no" } },
  });
  expect(await ref.countChildren()).toMatchObject({ specs: 1, active: 1 });
});

test("C11.2: a specification that cannot be used is refused, and the supervisor lives", async () => {
  const { dynamic, child } = dynamicKernel();
  const { ref } = await dynamic();
  for (const bad of [undefined, null, "x", {}, { start: 1 }, child("a", { significant: true })])
    await expect(ref.startChild(bad as never)).rejects.toMatchObject({
      code: "bad_argument",
      executed: "no",
    });
  expect(await ref.countChildren()).toMatchObject({ specs: 0 });
});

test("C-107: no more children than maxChildren", async () => {
  const { dynamic, child } = dynamicKernel();
  const { ref } = await dynamic({ maxChildren: 1 });
  const first = startedPid((await ref.startChild(child("a"))) as never);
  expect(await ref.startChild(child("b"))).toEqual({ type: "max_children" });
  expect(await ref.terminateChild(first)).toBe("ok");
  expect(await ref.startChild(child("b"))).toMatchObject({ type: "started" });
  const { ref: none } = await dynamic({ maxChildren: 0 });
  expect(await none.startChild(child("c"))).toEqual({ type: "max_children" });
});

test.each([normal, shutdown, detailed, fault, kill])(
  "C-109: a transient child is restarted unless it ended normally or was shut down: $type",
  async (reason) => {
    const { dynamic, child, end } = dynamicKernel();
    const { ref } = await dynamic();
    await ref.startChild(child("a", { restart: "transient" }));
    await end("a", reason);
    const specs = isNormalLike(reason) ? 0 : 1;
    expect(await ref.countChildren()).toMatchObject({ specs, active: specs });
  },
);

test("C-111: a restart that ignores drops the child", async () => {
  const { dynamic, restartable } = dynamicKernel();
  const { ref } = await dynamic();
  const { crash } = await restartable(ref, async () => ({ type: "ignored" }));
  await crash();
  expect(await ref.whichChildren()).toEqual([]);
});

test.each([
  ["an error", { type: "failed", reason: fault }],
  ["junk", "junk"],
])("C-111: a restart that answers %s is tried again", async (_, answer) => {
  const { dynamic, restartable, logged, kernel } = dynamicKernel(runningClock());
  const { ref } = await dynamic({ maxRestarts: 1_000_000_000 });
  const { crash, recover, pid } = await restartable(ref, async () => answer);
  await crash();
  await logged(({ event }) => event === "start_error");
  expect(await ref.whichChildren()).toMatchObject([{ state: "restarting", pid: undefined }]);
  expect(await ref.countChildren()).toMatchObject({ specs: 1, active: 0 });
  recover();
  await logged(({ event, restarts }) => event === "progress" && Number(restarts) > 0);
  const [row] = await ref.whichChildren();
  expect(row).toMatchObject({ state: "running" });
  expect([kernel.isAlive(pid), kernel.isAlive(row!.pid!)]).toEqual([false, true]);
});

test("C-113: a child that is being restarted counts towards maxChildren", async () => {
  const { dynamic, restartable, child, logged } = dynamicKernel(runningClock());
  const { ref, stop } = await dynamic({ maxChildren: 1, maxRestarts: 1_000_000_000 });
  const { crash } = await restartable(ref, async () => "junk");
  await crash();
  await logged(({ event }) => event === "start_error");
  expect(await ref.startChild(child("b"))).toEqual({ type: "max_children" });
  await stop();
});

test("C11.4: terminateChild knows a child that is being restarted by the pid it had, and ends the attempts", async () => {
  const { dynamic, restartable, logged } = dynamicKernel(runningClock());
  const { ref, stop } = await dynamic({ maxRestarts: 1_000_000_000 });
  const { crash, pid } = await restartable(ref, async () => "junk");
  await crash();
  await logged(({ event }) => event === "start_error");
  expect(await ref.terminateChild(pid)).toBe("ok");
  expect(await ref.terminateChild(pid)).toBe("not_found");
  expect(await ref.countChildren()).toMatchObject({ specs: 0 });
  await stop();
});

test("C-115: a restart that always fails ends the supervisor with shutdown", async () => {
  const { kernel, clock, dynamic, child, end, broken, trace } = dynamicKernel();
  const { ref, ended } = await dynamic({ maxRestarts: 1 });
  await ref.startChild(child("a"));
  await ref.startChild(child("b"));
  broken.add("a");
  await end("a");
  expect(await ended).toEqual(shutdown);
  expect(trace).toEqual(["+a", "+b", "-a exit fault", "!a", "-b shutdown"]);
  expectNothingLeft(kernel, clock);
});

test("C11.5: all children share one restart history", async () => {
  const { dynamic, child, end } = dynamicKernel();
  const { ref, ended } = await dynamic({ maxRestarts: 2 });
  for (const id of ["a", "b", "c"]) await ref.startChild(child(id));
  for (const id of ["a", "b", "c"]) {
    await end(id);
    if (id !== "c") expect(await ref.countChildren()).toMatchObject({ active: 3 });
  }
  expect(await ended).toEqual(shutdown);
});

test("C-127: whichChildren and countChildren; a child without an id or a name is called child", async () => {
  const { dynamic, Traced } = dynamicKernel();
  const { ref } = await dynamic();
  await ref.startChild({ start: [Traced, "a"] });
  await ref.startChild({ start: [Traced, "b"] });
  expect((await ref.whichChildren()).map(({ id }) => id)).toEqual(["child", "child"]);
  expect(await ref.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 0, workers: 2 });
});

test("C-129: children of a dynamic supervisor are not there any more after it was restarted", async () => {
  const { kernel, supervise, child, end, endOf } = dynamicKernel();
  const { ref } = await supervise({
    children: [dynamicSupervisor({ id: "pool", name: "pool", maxRestarts: 0 })],
  });
  const pool = new DynamicSupervisorRef(kernel, "pool");
  await pool.startChild(child("a"));
  await pool.startChild(child("b"));
  const gone = endOf("pool");
  await end("a");
  expect(await gone).toEqual(shutdown);
  expect(await ref.whichChildren()).toMatchObject([{ id: "pool", state: "running", restarts: 1 }]);
  expect(await pool.whichChildren()).toEqual([]);
  expect(kernel.whereis("b")).toBeUndefined();
});

test("C-193: startChild through a supervisor's name answers typed data", async () => {
  const { kernel, dynamic, child } = dynamicKernel();
  await dynamic({}, { name: "factory" });
  const started = await new DynamicSupervisorRef(kernel, "factory").startChild(child("a"));
  expectTypeOf(started).toEqualTypeOf<DynamicStart>();
  if (started.type === "started") expect(kernel.whereis("a")).toEqual(started.pid);
  expect(started.type).toBe("started");
});

test("C-145: requests to a dynamic supervisor that is not there fail with noproc", async () => {
  const { kernel } = dynamicKernel();
  const nobody = new DynamicSupervisorRef(kernel, "nobody");
  await expect(nobody.countChildren()).rejects.toMatchObject({ code: "noproc" });
});

test("C8.1: messages and exit signals of strangers do not harm a dynamic supervisor", async () => {
  const { kernel, dynamic, child, alarmed } = dynamicKernel();
  const { ref, pid } = await dynamic();
  await ref.startChild(child("a"));
  const stranger = kernel.spawn({ handle: () => {} });
  kernel.exit(pid, killed, stranger);
  kernel.send(pid, "hello");
  kernel.cast(pid, "stop", []);
  await expect(kernel.call(pid, "deleteChild", [])).rejects.toMatchObject({
    code: "unknown_function",
  });
  expect(await ref.countChildren()).toMatchObject({ active: 1 });
  expect(alarmed()).toEqual(["unexpected_message", "unexpected_message"]);
});
