import { type ChildSpec, ChildSpecError, GenServer, supervisor } from "@coppice/otp";
import { expect, expectTypeOf, test } from "vitest";
import { expectNothingLeft, runningClock, tracedKernel } from "./kernel.ts";

const ignored = async () => ({ type: "ignored" }) as const;

test("C7: startChild adds a child and starts it", async () => {
  const { kernel, supervise, child } = tracedKernel();
  const { ref } = await supervise({ children: ["a"] });
  const result = await ref.startChild(child("b"));
  expect(result).toEqual({ ok: true, pid: kernel.whereis("b") });
  expect((await ref.whichChildren()).map(({ id }) => id)).toEqual(["a", "b"]);
});

test("C3.6: whichChildren lists the children in start order, where OTP lists them in reverse", async () => {
  const { supervise } = tracedKernel();
  const { ref } = await supervise({ children: ["a", "b", "c"] });
  expect((await ref.whichChildren()).map(({ id }) => id)).toEqual(["a", "b", "c"]);
});

test("C-041: startChild with the id of a child that runs, or is stopped, starts nothing", async () => {
  const { kernel, supervise, child, take } = tracedKernel();
  const { ref } = await supervise({ children: ["a"] });
  take();
  expect(await ref.startChild(child("a", { name: "other" }))).toEqual({
    ok: false,
    error: "already_started",
    pid: kernel.whereis("a"),
  });
  await ref.terminateChild("a");
  expect(await ref.startChild(child("a"))).toEqual({ ok: false, error: "already_present" });
  expect(take()).toEqual(["-a shutdown"]);
});

test("C-043: deleteChild refuses one that runs, forgets one that is stopped, and finds no other", async () => {
  const { supervise } = tracedKernel();
  const { ref } = await supervise({ children: ["a"] });
  expect(await ref.deleteChild("a")).toEqual({ ok: false, error: "running" });
  expect(await ref.terminateChild("a")).toEqual({ ok: true });
  expect(await ref.deleteChild("a")).toEqual({ ok: true });
  expect(await ref.deleteChild("a")).toEqual({ ok: false, error: "not_found" });
  expect(await ref.whichChildren()).toEqual([]);
});

test("C7: terminateChild of a child that is stopped is ok, of an unknown one is not", async () => {
  const { supervise, take } = tracedKernel();
  const { ref } = await supervise({ children: ["a"] });
  expect(await ref.terminateChild("a")).toEqual({ ok: true });
  expect(await ref.terminateChild("a")).toEqual({ ok: true });
  expect(await ref.terminateChild("nobody")).toEqual({ ok: false, error: "not_found" });
  expect(take()).toEqual(["+a", "-a shutdown"]);
});

test("C7: restartChild starts one that is stopped, and refuses others", async () => {
  const { kernel, supervise } = tracedKernel();
  const { ref } = await supervise({
    children: ["a", { id: "none", restart: "transient", start: ignored }],
  });
  expect(await ref.restartChild("a")).toEqual({ ok: false, error: "running" });
  expect(await ref.restartChild("nobody")).toEqual({ ok: false, error: "not_found" });
  expect(await ref.restartChild("none")).toEqual({ ok: true, pid: undefined });
  await ref.terminateChild("a");
  expect(await ref.restartChild("a")).toEqual({ ok: true, pid: kernel.whereis("a") });
});

test("C-045: restartChild whose start fails says why, and the specification is kept", async () => {
  const { supervise, broken } = tracedKernel();
  const { ref } = await supervise({ children: ["a"] });
  await ref.terminateChild("a");
  broken.add("a");
  expect(await ref.restartChild("a")).toEqual({
    ok: false,
    error: "failed",
    reason: { type: "exit", value: "a is broken" },
  });
  expect(await ref.whichChildren()).toMatchObject([{ id: "a", state: "stopped", pid: undefined }]);
  broken.delete("a");
  expect(await ref.restartChild("a")).toMatchObject({ ok: true });
});

test("C7: startChild whose start fails says why, and the specification is not kept", async () => {
  const { supervise, child, broken, alarmed } = tracedKernel();
  const { ref } = await supervise({ children: [] });
  broken.add("b");
  expect(await ref.startChild(child("b"))).toEqual({
    ok: false,
    error: "failed",
    reason: { type: "exit", value: "b is broken" },
  });
  expect(await ref.whichChildren()).toEqual([]);
  expect(alarmed()).toEqual(["crash"]); // The child's own; who asked is told, so the supervisor reports nothing.
});

test("C7: startChild of a child that chooses not to run keeps it; a temporary one is forgotten", async () => {
  const { supervise } = tracedKernel();
  const { ref } = await supervise({ children: [] });
  expect(await ref.startChild({ id: "kept", start: ignored })).toEqual({ ok: true });
  const gone: ChildSpec = { id: "gone", restart: "temporary", start: ignored };
  expect(await ref.startChild(gone)).toEqual({ ok: true });
  expect(await ref.whichChildren()).toMatchObject([{ id: "kept", state: "stopped" }]);
});

test("C-047: a temporary child that is stopped is forgotten, so it cannot be restarted", async () => {
  const { supervise, child } = tracedKernel();
  const { ref } = await supervise({ children: [child("a", { restart: "temporary" })] });
  expect(await ref.terminateChild("a")).toEqual({ ok: true });
  expect(await ref.restartChild("a")).toEqual({ ok: false, error: "not_found" });
  expect(await ref.whichChildren()).toEqual([]);
});

test("C-049: countChildren counts specifications by type, and those that run", async () => {
  const { supervise, child } = tracedKernel();
  const below = (id: string): ChildSpec =>
    supervisor({ id, strategy: "one_for_one", children: [child(`${id} child`)] });
  const { ref } = await supervise({ children: ["a", "b", "c", below("x"), below("y")] });
  await ref.terminateChild("a");
  await ref.terminateChild("x");
  expect(await ref.countChildren()).toEqual({ specs: 5, active: 3, supervisors: 2, workers: 3 });
});

test("C7: childSpec is the specification a child was given, by its id", async () => {
  const { supervise, child } = tracedKernel();
  const spec = child("a", { shutdownMs: 7 });
  const { ref } = await supervise({ children: [spec] });
  expect(await ref.childSpec("a")).toEqual(spec);
  expect(await ref.childSpec("nobody")).toBeUndefined();
  expectTypeOf(ref.childSpec("a")).resolves.toEqualTypeOf<ChildSpec | undefined>();
});

test("C7: startChild refuses a specification that cannot be used, and the supervisor lives", async () => {
  const { kernel, supervise, child } = tracedKernel();
  const { ref, pid } = await supervise({ children: ["a"] });
  const bad = { id: "b", start: "nothing" } as unknown as ChildSpec;
  await expect(ref.startChild(bad)).rejects.toThrow(ChildSpecError);
  // Who is not on its node, or calls it by hand, may look and change nothing.
  for (const method of ["startChild", "terminateChild", "stop"])
    await expect(kernel.call(pid, method, ["a"])).rejects.toMatchObject({
      code: "denied",
      executed: "no",
    });
  expect(await kernel.call(pid, "countChildren", [])).toMatchObject({ active: 1 });
  const significant = child("c", { restart: "transient", significant: true });
  await expect(ref.startChild(significant)).rejects.toMatchObject({ code: "bad_argument" });
  expect(await ref.countChildren()).toMatchObject({ specs: 1, active: 1 });
});

test("C-051: while a restart keeps failing the supervisor answers, and terminateChild ends the attempts", async () => {
  // The attempts follow each other without a pause: only a clock that runs lets anything else have a turn.
  const { kernel, supervise, child, end, broken, logged, take } = tracedKernel(runningClock());
  const { ref, stop } = await supervise({ maxRestarts: 1_000_000_000, children: ["a", "b"] });
  broken.add("a");
  await end("a");
  await logged(({ event }) => event === "start_error");
  const restarting = { ok: false, error: "restarting" };
  expect(await ref.startChild(child("a"))).toEqual(restarting);
  expect(await ref.restartChild("a")).toEqual(restarting);
  expect(await ref.deleteChild("a")).toEqual(restarting);
  expect(await ref.whichChildren()).toMatchObject([{ state: "restarting", pid: undefined }, {}]);
  expect(await ref.countChildren()).toMatchObject({ specs: 2, active: 1 });
  expect(await ref.terminateChild("a")).toEqual({ ok: true });
  take();
  expect(await ref.whichChildren()).toMatchObject([{ state: "stopped" }, { state: "running" }]);
  broken.delete("a");
  expect(await ref.restartChild("a")).toMatchObject({ ok: true });
  expect(take()).toEqual(["+a"]);
  await stop();
  expect(kernel.processCount).toBe(0);
});

test("C-079: an exit signal in the name of a process that never was is ignored", async () => {
  const { kernel, clock, supervise } = tracedKernel();
  const { ref, pid, stop } = await supervise({ children: ["a"] });
  const stranger = kernel.spawn(() => {});
  await new Promise((resolve) => kernel.monitor(stranger, resolve));
  kernel.exit(pid, { type: "exit", value: "garbage" }, stranger);
  expect(await ref.whichChildren()).toMatchObject([{ state: "running", restarts: 0 }]);
  await stop();
  expectNothingLeft(kernel, clock);
});

test("C7: a child that crashes while the supervisor starts another is dealt with afterwards", async () => {
  const { supervise, child, end, take } = tracedKernel();
  const mayStart = Promise.withResolvers<void>();
  class Slow extends GenServer {
    override init(): Promise<void> {
      return mayStart.promise;
    }
  }
  const { ref } = await supervise({ children: [child("a")] });
  const adding = ref.startChild({ id: "slow", start: [Slow] });
  await end("a");
  expect(take()).toEqual(["+a", "-a exit fault"]);
  mayStart.resolve();
  expect(await adding).toMatchObject({ ok: true });
  expect((await ref.whichChildren()).map(({ restarts }) => restarts)).toEqual([1, 0]);
});
