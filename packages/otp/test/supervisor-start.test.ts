import { alreadyStarted, ExitError, shutdown } from "@coppice/kernel";
import {
  type ChildSpec,
  ChildSpecError,
  describeStartFailure,
  localNames,
  startSupervisor,
  supervisor,
  SupervisorRef,
} from "@coppice/otp";
import { expect, test } from "vitest";
import { expectNothingLeft, startedPid, tracedKernel } from "./kernel.ts";

const ignored = async () => ({ type: "ignored" }) as const;

test("C-001: children start in order and stop in reverse, one after the other, each with shutdown", async () => {
  const { kernel, clock, supervise, trace } = tracedKernel();
  const { stop } = await supervise({ children: ["a", "b", "c"] });
  expect(trace).toEqual(["+a", "+b", "+c"]);
  expect(await stop()).toEqual(shutdown);
  expect(trace.slice(3)).toEqual(["-c shutdown", "-b shutdown", "-a shutdown"]);
  expectNothingLeft(kernel, clock);
});

test("C-001: the next child is asked to stop only when the one before has ended", async () => {
  const { kernel, clock, supervise, child, trace, take } = tracedKernel();
  const asked = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const slow: ChildSpec = {
    id: "slow",
    start: (options) =>
      kernel.start(
        {
          handle: async () => {
            asked.resolve();
            await mayEnd.promise;
            trace.push("slow ends");
            throw new ExitError(shutdown);
          },
        },
        { ...options, trapExit: true },
      ),
  };
  const { ended, pid } = await supervise({ children: [child("a"), slow] });
  take();
  kernel.exit(pid, shutdown);
  await asked.promise;
  expect(trace).toEqual([]);
  mayEnd.resolve();
  await ended;
  expect(trace).toEqual(["slow ends", "-a shutdown"]);
  expectNothingLeft(kernel, clock);
});

test("C-001: a child starts only when the start of the one before has returned", async () => {
  const { kernel, supervise, child, trace } = tracedKernel();
  const mayStart = Promise.withResolvers<void>();
  const slow: ChildSpec = {
    id: "slow",
    start: (options) =>
      kernel.start(
        { start: () => mayStart.promise.then(() => void trace.push("+slow")), handle: () => {} },
        options,
      ),
  };
  const starting = supervise({ children: [slow, child("a")] });
  expect(trace).toEqual([]);
  mayStart.resolve();
  await starting;
  expect(trace).toEqual(["+slow", "+a"]);
});

test("C-003: when a child does not start, those before it are stopped and those after it never start", async () => {
  const { kernel, clock, child, broken, trace } = tracedKernel();
  broken.add("b");
  const children = ["a", "b", "c"].map((id) => child(id));
  const result = await startSupervisor(kernel, { strategy: "one_for_one", children });
  const reason = { type: "exit", value: "b is broken" };
  expect(result).toEqual({
    type: "failed",
    reason: { type: "shutdown", detail: { failed_to_start_child: "b", reason } },
  });
  expect(trace).toEqual(["+a", "!b", "-a shutdown"]);
  expectNothingLeft(kernel, clock);
});

test("C-003: for people the path to the child that did not start is one line", async () => {
  const { kernel, child, broken } = tracedKernel();
  broken.add("b");
  const options = { strategy: "one_for_one" } as const;
  const inner = supervisor({ id: "inner", ...options, children: [child("a"), child("b")] });
  const result = await startSupervisor(kernel, { ...options, children: [inner] });
  if (result.type !== "failed") throw new Error("it started");
  expect(describeStartFailure(result.reason)).toBe("inner: b: exit b is broken");
  expect(describeStartFailure(shutdown)).toBe("shutdown");
});

test.each(["permanent", "transient"] as const)(
  "C-005: a %s child that chooses not to run keeps its specification, and the supervisor starts",
  async (restart) => {
    const { supervise } = tracedKernel();
    const { ref } = await supervise({ children: ["a", { id: "none", restart, start: ignored }] });
    expect(await ref.whichChildren()).toMatchObject([
      { id: "a", state: "running" },
      { id: "none", state: "stopped", pid: undefined },
    ]);
  },
);

test("C3.3: a temporary child that chooses not to run is forgotten", async () => {
  const { supervise } = tracedKernel();
  const none: ChildSpec = { id: "none", restart: "temporary", start: ignored };
  const { ref } = await supervise({ children: ["a", none, "b"] });
  expect((await ref.whichChildren()).map(({ id }) => id)).toEqual(["a", "b"]);
});

test("C-007: a supervisor has no init callback that could ignore: the start of its child specification does", async () => {
  const { supervise, child, trace } = tracedKernel();
  const inner = supervisor({ id: "inner", strategy: "one_for_one", children: [child("never")] });
  const { ref } = await supervise({ children: ["a", { ...inner, start: ignored }] });
  expect(trace).toEqual(["+a"]);
  expect(await ref.countChildren()).toEqual({ specs: 2, active: 1, supervisors: 1, workers: 1 });
});

test("C-009: two children with one id are refused before any child starts", async () => {
  const { kernel, child, trace } = tracedKernel();
  const children = [child("a"), child("b"), child("a", { name: "other" })];
  const starting = startSupervisor(kernel, { strategy: "one_for_one", children });
  await expect(starting).rejects.toThrow(ChildSpecError);
  await expect(starting).rejects.toThrow("two children have the id a: ids must differ");
  expect([trace, kernel.processCount]).toEqual([[], 0]);
});

test("C-009: a supervisor below another that has two children with one id is a start that failed", async () => {
  const { kernel, clock, child } = tracedKernel();
  const inner = supervisor({
    id: "inner",
    strategy: "one_for_one",
    children: [child("a"), child("a")],
  });
  const result = await startSupervisor(kernel, { strategy: "one_for_one", children: [inner] });
  const reason = { type: "error", error: { code: "bad_child_spec" } };
  expect(result).toMatchObject({
    type: "failed",
    reason: { detail: { failed_to_start_child: "inner", reason } },
  });
  expectNothingLeft(kernel, clock);
});

test.each([
  ["a missing id", { id: undefined }, /needs an id/],
  ["an empty id", { id: "" }, /needs an id/],
  ["a missing start", { start: undefined }, /start must be/],
  ["a bad start", { start: ["Server"] }, /start must be/],
  ["an unknown restart", { restart: "always" }, /restart must be/],
  ["a negative shutdown time", { shutdownMs: -1 }, /shutdownMs must be/],
  ["a shutdown time that is no number", { shutdownMs: "brutal_kill" }, /shutdownMs must be/],
  ["a start time that is NaN", { startMs: Number.NaN }, /startMs must be/],
  ["an unknown type", { type: "daemon" }, /type must be/],
  ["an empty name", { name: "" }, /name must be/],
  ["a name that is no text", { name: 1 }, /name must be/],
  ["a name that is too long", { name: "x".repeat(256) }, /name must be/],
  ["a prepare that is no function", { prepare: "early" }, /prepare must be/],
  ["a significant that is no boolean", { significant: "yes" }, /significant must be/],
])("C-011: a child specification with %s is refused", async (_, wrong, message) => {
  const { kernel, child } = tracedKernel();
  const spec = { ...child("a"), ...wrong } as unknown as ChildSpec;
  const starting = startSupervisor(kernel, { strategy: "one_for_one", children: [spec] });
  await expect(starting).rejects.toThrow(ChildSpecError);
  await expect(starting).rejects.toThrow(message);
});

test.each([undefined, null, "a", 1])(
  "C-011: a child specification that is %s is refused",
  (spec) => {
    const { kernel } = tracedKernel();
    const children = [spec as unknown as ChildSpec];
    return expect(startSupervisor(kernel, { strategy: "one_for_one", children })).rejects.toThrow(
      /a child specification is an object/,
    );
  },
);

test.each([undefined, {}, "a"])(
  "C1.3: children that are no list, but %s, are refused",
  (children) => {
    const { kernel } = tracedKernel();
    const options = { strategy: "one_for_one", children } as never;
    return expect(startSupervisor(kernel, options)).rejects.toThrow(/children must be a list/);
  },
);

test("C-011: there are no modules, and unknown keys of a child specification are ignored", async () => {
  const { supervise, child } = tracedKernel();
  const { ref } = await supervise({ children: [{ ...child("a"), modules: 1 } as ChildSpec] });
  expect(await ref.whichChildren()).toMatchObject([{ id: "a", state: "running" }]);
});

test("C-013: a minimal child is a permanent worker with 5 seconds to stop, a supervisor has no limit", async () => {
  const { supervise, child, logs } = tracedKernel();
  const { Traced } = tracedKernel();
  const inner = supervisor({ id: "inner", strategy: "one_for_one", children: [child("below")] });
  await supervise({ children: [{ id: "a", start: [Traced, "a"] }, inner] });
  const shared = { event: "progress", restart: "permanent", significant: false };
  expect(logs.filter(({ child }) => child === "a" || child === "inner")).toMatchObject([
    { ...shared, child: "a", type: "worker", shutdownMs: 5_000 },
    { ...shared, child: "inner", type: "supervisor", shutdownMs: Infinity },
  ]);
});

test("C-015: by default a supervisor tolerates 3 restarts in 5 seconds and never ends by itself", async () => {
  const { kernel, supervise } = tracedKernel();
  const { pid } = await supervise({ strategy: "rest_for_one", children: [] });
  expect(kernel.info(pid)?.details).toEqual({
    strategy: "rest_for_one",
    maxRestarts: 3,
    maxSeconds: 5,
    autoShutdown: "never",
  });
});

test("C-015: a supervisor without a strategy is refused, by the compiler and when it runs", async () => {
  const { kernel } = tracedKernel();
  // @ts-expect-error -- strategy is required.
  const starting = startSupervisor(kernel, { children: [] });
  await expect(starting).rejects.toThrow(RangeError);
  await expect(starting).rejects.toThrow(/strategy must be one_for_one, .* not undefined/);
});

test.each([
  ["strategy", "simple_one_for_one"],
  ["strategy", "one-for-one"],
  ["maxRestarts", -1],
  ["maxRestarts", 1.5],
  ["maxSeconds", 0],
  ["maxSeconds", Number.NaN],
  ["autoShutdown", "all"],
])("C1.2: a supervisor with %s %s is refused", async (option, value) => {
  const { kernel } = tracedKernel();
  const options = { strategy: "one_for_one", children: [], [option]: value } as never;
  await expect(startSupervisor(kernel, options)).rejects.toThrow(RangeError);
  await expect(startSupervisor(kernel, options)).rejects.toThrow(new RegExp(`^${option} must be`));
  expect(kernel.processCount).toBe(0);
});

test("C-017: a supervisor with a local name is reached by it, and a second one finds the name taken", async () => {
  const { kernel, supervise } = tracedKernel();
  const { pid } = await supervise({ children: ["a"] }, { name: "sup" });
  const byName = new SupervisorRef(kernel, "sup");
  expect(await byName.whichChildren()).toMatchObject([{ id: "a" }]);
  const options = { strategy: "one_for_one", children: [] } as const;
  const second = await startSupervisor(kernel, options, { name: "sup" });
  expect(alreadyStarted(second)).toEqual(pid);
});

test("C-017: other kinds of names are those of the environment: a supervisor below is started through it", async () => {
  const { kernel, child } = tracedKernel();
  const asked: string[] = [];
  const names: typeof localNames = {
    startNamed: (name, how) => {
      asked.push(name);
      return localNames.startNamed(name, how);
    },
  };
  const inner = supervisor({
    id: "inner",
    name: "everywhere",
    strategy: "one_for_one",
    children: [child("a")],
  });
  const options = { strategy: "one_for_one", children: [inner] } as const;
  startedPid(await startSupervisor(kernel, options, {}, { kernel, names }));
  expect(asked).toEqual(["everywhere", "a"]);
  expect(await new SupervisorRef(kernel, "everywhere").countChildren()).toMatchObject({
    active: 1,
  });
});

test("C-191: of two children with one name the second does not start, and the error says which", async () => {
  const { kernel, clock, child, trace } = tracedKernel();
  const children = [child("a", { name: "shared" }), child("b", { name: "shared" })];
  const result = await startSupervisor(kernel, { strategy: "one_for_one", children });
  const reason = { type: "exit", value: { type: "already_started" } };
  expect(result).toMatchObject({
    type: "failed",
    reason: { type: "shutdown", detail: { failed_to_start_child: "b", reason } },
  });
  expect(trace).toEqual(["+a", "-a shutdown"]);
  expectNothingLeft(kernel, clock);
});
