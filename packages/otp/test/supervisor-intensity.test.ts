import { shutdown } from "@coppice/kernel";
import { supervisor } from "@coppice/otp";
import { expect, test } from "vitest";
import { expectNothingLeft, tracedKernel } from "./kernel.ts";

test("C6.1: three crashes within five seconds are tolerated, the fourth ends the supervisor and its children", async () => {
  const { kernel, clock, supervise, end, take } = tracedKernel();
  const { ref, ended } = await supervise({ children: ["a", "b"] });
  for (let count = 0; count < 3; count += 1) {
    await end("a");
    await ref.whichChildren();
  }
  take();
  await end("a");
  expect(await ended).toEqual(shutdown);
  expect(take()).toEqual(["-a exit fault", "-b shutdown"]);
  expectNothingLeft(kernel, clock);
});

test("C-027: with no restarts allowed the first crash ends the supervisor with shutdown", async () => {
  const { kernel, clock, supervise, end, take } = tracedKernel();
  const { ended } = await supervise({ maxRestarts: 0, children: ["a"] });
  await end("a");
  expect(await ended).toEqual(shutdown);
  expect(take()).toEqual(["+a", "-a exit fault"]);
  expectNothingLeft(kernel, clock);
});

test("C-031: a child that never comes up again is tried exactly maxRestarts times", async () => {
  const { kernel, clock, supervise, end, broken, take } = tracedKernel();
  const { ended } = await supervise({ maxRestarts: 3, children: ["a"] });
  broken.add("a");
  await end("a");
  expect(await ended).toEqual(shutdown);
  expect(take()).toEqual(["+a", "-a exit fault", "!a", "!a", "!a"]);
  expectNothingLeft(kernel, clock);
});

test("C-033: one crash is one restart, however many siblings restart with it", async () => {
  const { supervise, end } = tracedKernel();
  const { ref, ended } = await supervise({
    strategy: "one_for_all",
    maxRestarts: 1,
    children: ["a", "b", "c", "d", "e"],
  });
  await end("c");
  expect((await ref.whichChildren()).map(({ restarts }) => restarts)).toEqual([1, 1, 1, 1, 1]);
  await end("a");
  expect(await ended).toEqual(shutdown);
});

test("C6.3: ends of permanent children count also when they are normal", async () => {
  const { supervise, end } = tracedKernel();
  const { ref, ended } = await supervise({ maxRestarts: 1, children: ["a"] });
  await end("a", { type: "normal" });
  expect(await ref.countChildren()).toMatchObject({ active: 1 });
  await end("a", { type: "normal" });
  expect(await ended).toEqual(shutdown);
});

test("C6.3: stopping and starting a child by request does not count", async () => {
  const { supervise } = tracedKernel();
  const { ref } = await supervise({ maxRestarts: 0, children: ["a"] });
  for (let count = 0; count < 5; count += 1) {
    await ref.terminateChild("a");
    await ref.restartChild("a");
  }
  expect(await ref.whichChildren()).toMatchObject([{ state: "running", restarts: 0 }]);
});

// C6.2: whole seconds are compared, so that a window of 1 second ends somewhere between 1 and 2.
test.each([900, 1_100, 1_850])(
  "C6.2: with one restart a second, a second crash after %i ms ends the supervisor",
  async (ms) => {
    const { clock, supervise, end } = tracedKernel();
    const { ref, ended } = await supervise({ maxRestarts: 1, maxSeconds: 1, children: ["a"] });
    await end("a");
    await ref.whichChildren();
    clock.advance(ms);
    await end("a");
    expect(await ended).toEqual(shutdown);
  },
);

test("C6.2: with one restart a second, a second crash after 2100 ms is tolerated", async () => {
  const { clock, supervise, end } = tracedKernel();
  const { ref } = await supervise({ maxRestarts: 1, maxSeconds: 1, children: ["a"] });
  for (let count = 1; count <= 5; count += 1) {
    await end("a");
    expect(await ref.whichChildren()).toMatchObject([{ state: "running", restarts: count }]);
    clock.advance(2_100);
  }
});

test.each([
  ["one_for_one", ["-c shutdown", "-a shutdown"]],
  ["one_for_all", ["-a shutdown"]],
  ["rest_for_one", ["-a shutdown"]],
] as const)(
  "C-055: %s: a restart that keeps failing ends all children in reverse and the supervisor with shutdown",
  async (strategy, last) => {
    const { kernel, clock, supervise, end, broken, take } = tracedKernel();
    const { ended } = await supervise({ strategy, maxRestarts: 1, children: ["a", "b", "c"] });
    broken.add("b");
    take();
    await end("b");
    expect(await ended).toEqual(shutdown);
    const trace = take();
    expect(trace.filter((each) => each === "!b")).toHaveLength(1);
    expect(trace.slice(-last.length)).toEqual(last);
    expectNothingLeft(kernel, clock);
  },
);

test("C6.5: a permanent supervisor that gave up is restarted by its own, with its children", async () => {
  const { supervise, child, end, endOf } = tracedKernel();
  const inner = supervisor({
    id: "inner",
    name: "inner",
    maxRestarts: 0,
    strategy: "one_for_one",
    children: [child("below")],
  });
  const { ref } = await supervise({ children: [inner] });
  const gone = endOf("inner");
  await end("below");
  expect(await gone).toEqual(shutdown);
  expect(await ref.whichChildren()).toMatchObject([{ id: "inner", state: "running", restarts: 1 }]);
});

test("C-057: a transient supervisor that gave up has ended with shutdown, so it is not restarted", async () => {
  const { supervise, child, end, endOf } = tracedKernel();
  const inner = supervisor({
    id: "inner",
    name: "inner",
    restart: "transient",
    maxRestarts: 0,
    strategy: "one_for_one",
    children: [child("below")],
  });
  const { ref } = await supervise({ children: [inner] });
  const gone = endOf("inner");
  await end("below");
  expect(await gone).toEqual(shutdown);
  expect(await ref.whichChildren()).toMatchObject([{ id: "inner", state: "stopped", restarts: 0 }]);
});

test("C6.4: a supervisor that was restarted has no history", async () => {
  const { supervise, child, end, endOf } = tracedKernel();
  const inner = supervisor({
    id: "inner",
    name: "inner",
    maxRestarts: 1,
    strategy: "one_for_one",
    children: [child("below")],
  });
  const { ref } = await supervise({ maxRestarts: 1, children: [inner] });
  const gone = endOf("inner");
  await end("below");
  await end("below");
  await gone;
  await ref.whichChildren();
  const again = endOf("inner");
  await end("below");
  expect(await ref.whichChildren()).toMatchObject([{ id: "inner", state: "running", restarts: 1 }]);
  await end("below");
  expect(await again).toEqual(shutdown);
});

test("100 000 crashes in a row leave nothing behind", async () => {
  const crashes = 100_000;
  const { kernel, clock, supervise, end, trace, logs, alarms } = tracedKernel();
  const { ref, pid, ended } = await supervise({
    maxRestarts: crashes,
    children: ["a", "sibling"],
  });
  for (let count = 0; count < crashes; count += 1) {
    await end("a");
    await ref.countChildren(); // Answered when the child has been restarted.
    for (const kept of [trace, logs, alarms]) kept.length = 0;
  }
  expect(await ref.whichChildren()).toMatchObject([{ restarts: crashes }, { restarts: 0 }]);
  expect(kernel.processCount).toBe(3);
  expect(kernel.info(pid)).toMatchObject({ mailbox: 0, watchers: 1, monitors: 0, timers: 0 });
  expect(kernel.info(pid)?.links).toHaveLength(2);
  expect(kernel.info(kernel.whereis("a")!)).toMatchObject({ watchers: 0, monitors: 0 });
  await end("a"); // One more than is allowed.
  expect(await ended).toEqual(shutdown);
  expectNothingLeft(kernel, clock);
}, 120_000);
