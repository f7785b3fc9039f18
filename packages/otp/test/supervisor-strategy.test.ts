import { type ExitReason, normal, shutdown } from "@coppice/kernel";
import { GenServer, SupervisorRef, supervisor } from "@coppice/otp";
import { expect, test } from "vitest";
import { fault, runningClock, tracedKernel } from "./kernel.ts";

const detailed: ExitReason = { type: "shutdown", detail: "done" };

test("C5.1: one_for_one restarts only the child that crashed", async () => {
  const { supervise, end, take } = tracedKernel();
  const { ref } = await supervise({ children: ["a", "b", "c"] });
  take();
  await end("b");
  expect((await ref.whichChildren()).map(({ restarts }) => restarts)).toEqual([0, 1, 0]);
  expect(take()).toEqual(["-b exit fault", "+b"]);
});

test("C-019: one_for_all stops the others in reverse and starts all in order", async () => {
  const { supervise, end, take } = tracedKernel();
  const { ref } = await supervise({ strategy: "one_for_all", children: ["a", "b", "c"] });
  take();
  await end("b");
  await ref.whichChildren();
  expect(take()).toEqual(["-b exit fault", "-c shutdown", "-a shutdown", "+a", "+b", "+c"]);
});

test("C5.3: rest_for_one stops those started later in reverse, and starts them and the crashed one in order", async () => {
  const { supervise, end, take } = tracedKernel();
  const { ref } = await supervise({ strategy: "rest_for_one", children: ["a", "b", "c", "d"] });
  take();
  await end("b");
  await ref.whichChildren();
  expect(take()).toEqual(["-b exit fault", "-d shutdown", "-c shutdown", "+b", "+c", "+d"]);
});

test("C-021: one_for_all also starts a sibling that had been stopped", async () => {
  const { supervise, end, take } = tracedKernel();
  const { ref } = await supervise({ strategy: "one_for_all", children: ["a", "b"] });
  await ref.terminateChild("b");
  take();
  await end("a");
  expect((await ref.whichChildren()).map(({ state }) => state)).toEqual(["running", "running"]);
  expect(take()).toEqual(["-a exit fault", "+a", "+b"]);
});

test("C5.4: rest_for_one also starts later siblings that had finished or had chosen not to run", async () => {
  const { supervise, child, end, take } = tracedKernel();
  let runs = false;
  class Chooser extends GenServer {
    override init(): void {
      if (!runs) this.self.ignore();
    }
  }
  const { ref } = await supervise({
    strategy: "rest_for_one",
    children: ["a", child("b", { restart: "transient" }), { id: "c", start: [Chooser] }],
  });
  await end("b", normal);
  expect((await ref.whichChildren()).map(({ state }) => state)).toEqual([
    "running",
    "stopped",
    "stopped",
  ]);
  runs = true;
  take();
  await end("a");
  expect((await ref.whichChildren()).map(({ state }) => state)).toEqual(Array(3).fill("running"));
  expect(take()).toEqual(["-a exit fault", "+a", "+b"]);
});

test("C5.4: a group restart stops temporary siblings and forgets them", async () => {
  const { supervise, child, end, take } = tracedKernel();
  const { ref } = await supervise({
    strategy: "one_for_all",
    children: ["a", child("b", { restart: "temporary" }), "c"],
  });
  take();
  await end("a");
  expect((await ref.whichChildren()).map(({ id }) => id)).toEqual(["a", "c"]);
  expect(take()).toEqual(["-a exit fault", "-c shutdown", "-b shutdown", "+a", "+c"]);
});

test.each(["one_for_all", "rest_for_one"] as const)(
  "C-023: %s: the normal end of a transient child touches no sibling, and it stays without a process",
  async (strategy) => {
    const { supervise, child, end, take } = tracedKernel();
    const { ref } = await supervise({
      strategy,
      children: [child("a", { restart: "transient" }), "b"],
    });
    take();
    await end("a", normal);
    expect(await ref.whichChildren()).toMatchObject([
      { id: "a", state: "stopped", pid: undefined },
      { id: "b", state: "running", restarts: 0 },
    ]);
    expect(take()).toEqual(["-a normal"]);
  },
);

const reasons = [
  ["normal", normal],
  ["shutdown", shutdown],
  ["shutdown with a detail", detailed],
  ["a crash", fault],
] as const;

test.each(reasons)("C4.1: a permanent child is restarted after %s", async (_, reason) => {
  const { supervise, end } = tracedKernel();
  const { ref } = await supervise({ children: ["a"] });
  await end("a", reason);
  expect(await ref.whichChildren()).toMatchObject([{ id: "a", state: "running", restarts: 1 }]);
});

test.each(reasons)(
  "C-025: a transient child is restarted only after a crash: after %s",
  async (_, reason) => {
    const { supervise, child, end } = tracedKernel();
    const { ref } = await supervise({ children: [child("a", { restart: "transient" })] });
    await end("a", reason);
    expect(await ref.whichChildren()).toMatchObject([
      reason === fault
        ? { id: "a", state: "running", restarts: 1 }
        : { id: "a", state: "stopped", pid: undefined, restarts: 0 },
    ]);
  },
);

test.each(reasons)("C4.1: a temporary child is forgotten after %s", async (_, reason) => {
  const { supervise, child, end } = tracedKernel();
  const { ref } = await supervise({ children: [child("a", { restart: "temporary" })] });
  await end("a", reason);
  expect(await ref.whichChildren()).toEqual([]);
});

test("C-053: one_for_all: a sibling fails to start again, so those that did are stopped and all are tried again", async () => {
  const { supervise, end, take, broken, Traced, logged } = tracedKernel();
  let attempts = 0;
  class FailsTwice extends Traced {
    override init(): void {
      attempts += 1;
      if (attempts === 3) broken.delete(this.id);
      super.init();
    }
  }
  const options = { strategy: "one_for_all", maxRestarts: 3 } as const;
  const { ref } = await supervise({
    ...options,
    children: ["a", "b", { id: "c", start: [FailsTwice, "c"] }],
  });
  attempts = 0;
  broken.add("c");
  take();
  await end("b");
  await logged(({ event, child, restarts }) => {
    return event === "progress" && child === "c" && restarts === 3;
  });
  const failedTry = ["+a", "+b", "!c", "-b shutdown", "-a shutdown"];
  expect(take()).toEqual([
    "-b exit fault",
    "-c shutdown",
    "-a shutdown",
    ...failedTry,
    ...failedTry,
    "+a",
    "+b",
    "+c",
  ]);
  expect(await ref.countChildren()).toMatchObject({ specs: 3, active: 3 });
  await end("a"); // The fourth restart after the first and two tries: one too many.
  await expect(ref.whichChildren()).rejects.toThrow();
});

test("C-053: one_for_all: between two tries no child of the group runs", async () => {
  const { supervise, end, broken, logged } = tracedKernel(runningClock());
  const options = { strategy: "one_for_all", maxRestarts: 1_000_000_000 } as const;
  const { ref, stop } = await supervise({ ...options, children: ["a", "b", "c"] });
  broken.add("b");
  await end("a");
  await logged(({ event }) => event === "start_error");
  expect((await ref.whichChildren()).map(({ state, pid }) => [state, pid])).toEqual([
    ["stopped", undefined],
    ["restarting", undefined],
    ["stopped", undefined],
  ]);
  await stop();
});

test("C5.5: rest_for_one: after a failed start the retry begins there, and those restarted before it stay", async () => {
  const { supervise, end, take, broken, logged, kernel } = tracedKernel(runningClock());
  const { ref } = await supervise({
    strategy: "rest_for_one",
    maxRestarts: 1_000_000,
    children: ["a", "b", "c"],
  });
  broken.add("b");
  take();
  await end("a");
  await logged(({ event, child }) => event === "start_error" && child === "b");
  const a = kernel.whereis("a");
  broken.delete("b");
  await logged(({ event, child, restarts }) => {
    return event === "progress" && child === "c" && Number(restarts) > 0;
  });
  const trace = take();
  expect(trace.slice(0, 4)).toEqual(["-a exit fault", "-c shutdown", "-b shutdown", "+a"]);
  expect(trace.filter((each) => each === "+a")).toHaveLength(1);
  expect(trace.slice(-2)).toEqual(["+b", "+c"]);
  expect(kernel.whereis("a")).toEqual(a);
  expect(await ref.countChildren()).toMatchObject({ active: 3 });
});

test("C-083: a named child that is restarted has its name again", async () => {
  const { kernel, supervise, child, end } = tracedKernel();
  const { ref } = await supervise({ children: [child("worker", { name: "known as" })] });
  const before = kernel.whereis("known as");
  await end("known as");
  const [row] = await ref.whichChildren();
  expect(row).toMatchObject({ id: "worker", name: "known as", restarts: 1 });
  expect(kernel.whereis("known as")).toEqual(row!.pid);
  expect(row!.pid).not.toEqual(before);
});

test("C8.4: a supervisor that was restarted has the children it was started with, not those added later", async () => {
  const { kernel, supervise, child, end, endOf } = tracedKernel();
  const inner = supervisor({
    id: "inner",
    name: "inner",
    strategy: "one_for_one",
    maxRestarts: 0,
    children: [child("static")],
  });
  const { ref } = await supervise({ children: [inner] });
  const added = await new SupervisorRef(kernel, "inner").startChild(child("added"));
  expect(added).toMatchObject({ ok: true });
  const ended = endOf("inner");
  await end("static");
  expect(await ended).toEqual(shutdown);
  expect(await ref.whichChildren()).toMatchObject([{ state: "running", restarts: 1 }]);
  expect(await kernel.call("inner", "whichChildren", [])).toMatchObject([{ id: "static" }]);
  expect(kernel.whereis("added")).toBeUndefined();
});
