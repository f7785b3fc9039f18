import { normal, shutdown } from "@coppice/kernel";
import { ChildSpecError, startSupervisor, supervisor } from "@coppice/otp";
import { expect, test } from "vitest";
import { expectNothingLeft, fault, tracedKernel } from "./kernel.ts";

const significant = { restart: "transient", significant: true } as const;

test("C-063: a significant child under autoShutdown never is refused", async () => {
  const { kernel, child } = tracedKernel();
  const children = [child("a", significant)];
  const starting = startSupervisor(kernel, { strategy: "one_for_one", children });
  await expect(starting).rejects.toThrow(ChildSpecError);
  await expect(starting).rejects.toThrow(/needs a supervisor whose autoShutdown is not never/);
});

test("C-063: a significant permanent child is refused: it never ends for good", async () => {
  const { kernel, child } = tracedKernel();
  const starting = startSupervisor(kernel, {
    strategy: "one_for_one",
    autoShutdown: "any_significant",
    children: [child("a", { significant: true })],
  });
  await expect(starting).rejects.toThrow(ChildSpecError);
  await expect(starting).rejects.toThrow(/must be transient or temporary/);
});

test("C9.1: any_significant: the end of one stops the others in reverse, and the supervisor ends with shutdown", async () => {
  const { kernel, clock, supervise, child, end, take, alarmed } = tracedKernel();
  const { ended } = await supervise({
    autoShutdown: "any_significant",
    children: ["a", child("s", significant), "b"],
  });
  take();
  await end("s", normal);
  expect(await ended).toEqual(shutdown);
  expect(take()).toEqual(["-s normal", "-b shutdown", "-a shutdown"]);
  expect(alarmed()).toEqual([]);
  expectNothingLeft(kernel, clock);
});

test.each([normal, shutdown, fault])(
  "C9.1: any_significant: a temporary significant child ends its supervisor, whatever the reason: $type",
  async (reason) => {
    const { supervise, child, end } = tracedKernel();
    const { ended } = await supervise({
      autoShutdown: "any_significant",
      children: [child("s", { restart: "temporary", significant: true }), "a"],
    });
    await end("s", reason);
    expect(await ended).toEqual(shutdown);
  },
);

test("C-065: any_significant: a transient significant child that crashes is restarted", async () => {
  const { supervise, child, end } = tracedKernel();
  const { ref } = await supervise({
    autoShutdown: "any_significant",
    children: [child("s", significant)],
  });
  await end("s");
  expect(await ref.whichChildren()).toMatchObject([{ state: "running", restarts: 1 }]);
});

test("C-067: stopping a significant child by request does not end the supervisor", async () => {
  const { supervise, child } = tracedKernel();
  const { ref } = await supervise({
    autoShutdown: "any_significant",
    children: [child("s", significant), child("t", { restart: "temporary", significant: true })],
  });
  await ref.terminateChild("s");
  await ref.terminateChild("t");
  expect(await ref.whichChildren()).toMatchObject([{ id: "s", state: "stopped" }]);
});

test.each(["transient", "temporary"] as const)(
  "C-069: any_significant: the end of a %s child that is not significant changes nothing",
  async (restart) => {
    const { supervise, child, end } = tracedKernel();
    const { ref } = await supervise({
      autoShutdown: "any_significant",
      children: [child("s", significant), child("a", { restart })],
    });
    await end("a", normal);
    expect((await ref.whichChildren())[0]).toMatchObject({ id: "s", state: "running" });
  },
);

test("C9.2: all_significant: the supervisor ends with the last significant child", async () => {
  const { supervise, child, end, take } = tracedKernel();
  const { ref, ended } = await supervise({
    autoShutdown: "all_significant",
    children: [
      child("s", significant),
      "a",
      child("t", { restart: "temporary", significant: true }),
    ],
  });
  await end("s", normal);
  expect(await ref.countChildren()).toMatchObject({ active: 2 });
  take();
  await end("t");
  expect(await ended).toEqual(shutdown);
  expect(take()).toEqual(["-t exit fault", "-a shutdown"]);
});

test("C9.2: all_significant: one that was stopped by request does not count as active", async () => {
  const { supervise, child, end } = tracedKernel();
  const { ref, ended } = await supervise({
    autoShutdown: "all_significant",
    children: [child("s", significant), child("t", significant)],
  });
  await ref.terminateChild("s");
  await end("t", normal);
  expect(await ended).toEqual(shutdown);
});

test("C9.3: a significant child that its siblings' restart stops does not end the supervisor", async () => {
  const { supervise, child, end } = tracedKernel();
  const { ref } = await supervise({
    strategy: "one_for_all",
    autoShutdown: "any_significant",
    children: [
      "a",
      child("s", significant),
      child("t", { restart: "temporary", significant: true }),
    ],
  });
  await end("a");
  expect(await ref.whichChildren()).toMatchObject([
    { id: "a", restarts: 1 },
    { id: "s", state: "running", restarts: 1 },
  ]);
});

test("C-071: a significant supervisor that ends by itself ends its own supervisor too", async () => {
  const { kernel, clock, supervise, child, end } = tracedKernel();
  const inner = supervisor({
    id: "inner",
    ...significant,
    autoShutdown: "any_significant",
    strategy: "one_for_one",
    children: [child("s", significant)],
  });
  const { ended } = await supervise({ autoShutdown: "any_significant", children: ["a", inner] });
  await end("s", normal);
  expect(await ended).toEqual(shutdown);
  expectNothingLeft(kernel, clock);
});

test("C-071: a permanent supervisor that ends by itself is started again", async () => {
  const { supervise, child, end, endOf } = tracedKernel();
  const inner = supervisor({
    id: "inner",
    name: "inner",
    autoShutdown: "any_significant",
    strategy: "one_for_one",
    children: [child("s", significant)],
  });
  const { ref } = await supervise({ children: [inner] });
  const gone = endOf("inner");
  await end("s", normal);
  expect(await gone).toEqual(shutdown);
  expect(await ref.whichChildren()).toMatchObject([{ id: "inner", state: "running", restarts: 1 }]);
});
