import { ExitError, type ExitReason, killed, normal, shutdown, sleep } from "@coppice/kernel";
import type { ChildSpec, DynamicChildSpec, StartChild } from "@coppice/otp";
import { expect, test } from "vitest";
import { dynamicKernel } from "./dynamic.ts";
import { expectNothingLeft, startedPid } from "./kernel.ts";

/** A child that, asked to stop, does so after `ms` milliseconds, with a reason of its own. */
function takesItsTime(ms: number, reason: ExitReason): StartChild {
  return (options, { kernel }) =>
    kernel.start(
      {
        handle: async () => {
          await sleep(kernel.clock, ms);
          throw new ExitError(reason);
        },
      },
      { ...options, trapExit: true },
    );
}

async function startThree(child: DynamicChildSpec) {
  const base = dynamicKernel();
  const { ref, ...rest } = await base.dynamic();
  const ends: Promise<ExitReason>[] = [];
  for (let count = 0; count < 3; count += 1)
    ends.push(base.endOf(startedPid((await ref.startChild(child)) as never)));
  return { ...base, ...rest, ref, ends };
}

test("C-117: children with shutdownMs 0 are killed when the supervisor stops", async () => {
  const { kernel, clock, stop, ends, alarmed } = await startThree({
    shutdownMs: 0,
    start: (options, { kernel: here }) =>
      here.start({ handle: () => {} }, { ...options, trapExit: true }),
  });
  expect(await stop()).toEqual(shutdown);
  expect(await Promise.all(ends)).toEqual([killed, killed, killed]);
  expect(alarmed()).toEqual([]);
  expectNothingLeft(kernel, clock);
});

test.each([
  ["C-119: with shutdownMs Infinity", { type: "shutdown", detail: "oops" }, [], "transient"],
  [
    "C-121: of a permanent child, a normal end",
    normal,
    Array(3).fill("shutdown_error"),
    "permanent",
  ],
  ["C-121: of a transient child, a normal end", normal, [], "transient"],
] as const)(
  "%s: it is waited for, keeps its own reason and is not restarted",
  async (_, reason, alarms, restart) => {
    const { kernel, clock, stop, ends, alarmed } = await startThree({
      restart,
      shutdownMs: Infinity,
      start: takesItsTime(60_000, reason),
    });
    const stopped = stop();
    await clock.armed(60_000, 3);
    clock.advance(60_000);
    expect(await stopped).toEqual(shutdown);
    expect(await Promise.all(ends)).toEqual([reason, reason, reason]);
    expect(alarmed()).toEqual(alarms);
    expectNothingLeft(kernel, clock);
  },
);

test.each([
  [0, killed],
  [1_000, shutdown],
] as const)(
  "C-123: terminateChild with shutdownMs %i; a second time the child is not found",
  async (shutdownMs, reason) => {
    const { kernel, clock, dynamic, child, endOf } = dynamicKernel();
    const { ref, stop } = await dynamic();
    const pid = startedPid((await ref.startChild(child("a", { shutdownMs }))) as never);
    const end = endOf(pid);
    expect(await ref.terminateChild(pid)).toBe("ok");
    expect(await end).toEqual(reason);
    expect(await ref.terminateChild(pid)).toBe("not_found");
    expect(await ref.terminateChild("a" as never)).toBe("not_found");
    expect(await ref.countChildren()).toMatchObject({ specs: 0, active: 0 });
    await stop();
    expectNothingLeft(kernel, clock);
  },
);

test("C-125: a dynamic supervisor stops its children at the same time", async () => {
  const { kernel, clock, dynamic } = dynamicKernel();
  const { ref, stop } = await dynamic();
  for (let count = 0; count < 4; count += 1)
    await ref.startChild({ start: takesItsTime(200, shutdown) });
  const stopped = stop();
  await clock.armed(200, 4);
  clock.advance(200);
  expect(await stopped).toEqual(shutdown);
  expect(clock.now()).toBe(200);
  expectNothingLeft(kernel, clock);
});

test("C-125: a supervisor with an order stops them one after the other", async () => {
  const { kernel, clock, supervise } = dynamicKernel();
  const start = takesItsTime(200, shutdown);
  const { stop } = await supervise({ children: ["1", "2", "3", "4"].map((id) => ({ id, start })) });
  const stopped = stop();
  for (let count = 0; count < 4; count += 1) {
    await clock.armed(200);
    clock.advance(200);
  }
  expect(await stopped).toEqual(shutdown);
  expect(clock.now()).toBe(800);
  expectNothingLeft(kernel, clock);
});

test("D2: each child has its own time to stop", async () => {
  const { kernel, clock, dynamic, endOf } = dynamicKernel();
  const { ref, stop } = await dynamic();
  const start = takesItsTime(300, shutdown);
  const quick = endOf(startedPid((await ref.startChild({ shutdownMs: 100, start })) as never));
  const slow = endOf(startedPid((await ref.startChild({ shutdownMs: 1_000, start })) as never));
  const stopped = stop();
  await clock.armed(300, 2);
  clock.advance(300);
  expect([await quick, await slow, await stopped]).toEqual([killed, shutdown, shutdown]);
  expectNothingLeft(kernel, clock);
});

test("C8.3: stop ends the children and then the supervisor, normally", async () => {
  const { kernel, clock, dynamic, child, trace } = dynamicKernel();
  const { ref, pid, ended } = await dynamic();
  await ref.startChild(child("a"));
  await ref.stop();
  expect(kernel.isAlive(pid)).toBe(false);
  expect(await ended).toEqual(normal);
  expect(trace).toEqual(["+a", "-a shutdown"]);
  expectNothingLeft(kernel, clock);
});

test("C-081: thousands of children start, crash, and stop, and nothing is left", async () => {
  const count = 5_000;
  const { kernel, clock, dynamic, trace } = dynamicKernel();
  const { ref, ended, pid } = await dynamic({ maxRestarts: count });
  const start: DynamicChildSpec["start"] = (options) => kernel.start({ handle: () => {} }, options);
  const pids = [];
  for (let index = 0; index < count; index += 1)
    pids.push(startedPid((await ref.startChild({ start })) as never));
  expect(await ref.countChildren()).toMatchObject({ specs: count, active: count });
  for (const each of pids) kernel.exit(each, { type: "exit", value: "fault" });
  const rows = await ref.whichChildren();
  expect(rows.filter(({ state, restarts }) => state === "running" && restarts === 1)).toHaveLength(
    count,
  );
  for (const row of rows.slice(0, 1_000)) expect(await ref.terminateChild(row.pid!)).toBe("ok");
  expect(kernel.info(pid)?.links).toHaveLength(count - 1_000);
  kernel.exit(pid, shutdown);
  expect(await ended).toEqual(shutdown);
  expect(trace).toEqual([]);
  expectNothingLeft(kernel, clock);
});

test("C-081: thousands of temporary children of a supervisor with an order end, and nothing is left", async () => {
  const { kernel, clock, supervise } = dynamicKernel();
  const start: ChildSpec["start"] = (options) => kernel.start({ handle: () => {} }, options);
  const children = Array.from({ length: 3_000 }, (_, index): ChildSpec => {
    return { id: String(index), restart: "temporary", start };
  });
  const { ref, stop } = await supervise({ children });
  for (const { pid } of await ref.whichChildren()) kernel.exit(pid!, normal);
  expect(await ref.countChildren()).toMatchObject({ specs: 0 });
  await stop();
  expectNothingLeft(kernel, clock);
});
