import { type ExitReason, killed, noproc, shutdown, type StartResult } from "@coppice/kernel";
import { type ChildSpec, GenServer, startSupervisor, type StartChild } from "@coppice/otp";
import { describe, expect, test } from "vitest";
import { expectNothingLeft, fault, startedPid, tracedKernel } from "./kernel.ts";

const never = new Promise<never>(() => {});

class Hanging extends GenServer {
  override init(): Promise<void> {
    return never;
  }
}

/** Starts that go wrong, and the reason the supervisor sees. */
const badStarts: readonly (readonly [string, () => StartChild, unknown])[] = [
  [
    "throws",
    () => () => {
      throw new TypeError("no");
    },
    { type: "error", error: { name: "TypeError", message: "no" } },
  ],
  [
    "rejects",
    () => () => Promise.reject(new Error("no")),
    { type: "error", error: { message: "no" } },
  ],
  [
    "rejects with null",
    () => () => Promise.reject(null),
    { type: "error", error: { name: "Thrown", message: "null" } },
  ],
  [
    "throws an object that cannot be read",
    () => () => {
      throw Object.defineProperty(new Error("x"), "message", {
        get: () => {
          throw new Error("unreadable");
        },
      });
    },
    { type: "error", error: { message: "an error that cannot be read" } },
  ],
  ["returns nothing", () => (() => undefined) as never, bad("undefined")],
  ["returns a text", () => (async () => "junk") as never, bad("junk")],
  ["returns null", () => (async () => null) as never, bad("null")],
  ["returns a started without a pid", () => (async () => ({ type: "started" })) as never, bad()],
  [
    "returns a started with junk for a pid",
    () => (async () => ({ type: "started", pid: "a.1.1" })) as never,
    bad(),
  ],
  ["returns a failed without a reason", () => (async () => ({ type: "failed" })) as never, bad()],
  [
    "returns the supervisor itself",
    () => async (options) => ({ type: "started", pid: options.link! }),
    bad(),
  ],
];

function bad(text?: string): unknown {
  return {
    type: "exit",
    value: { bad_return_value: text ?? (expect.any(String) as unknown) },
  };
}

describe.each(badStarts)("a start that %s", (_, makeStart, reason) => {
  const prepared = () => {
    const base = tracedKernel();
    return { ...base, start: makeStart() };
  };

  test("fails the supervisor that is starting, and the children before it are stopped", async () => {
    const { kernel, clock, child, start, trace } = prepared();
    const children = [child("a"), { id: "bad", start }];
    const result = await startSupervisor(kernel, { strategy: "one_for_one", children });
    expect(result).toMatchObject({
      type: "failed",
      reason: { type: "shutdown", detail: { failed_to_start_child: "bad", reason } },
    });
    expect(trace).toEqual(["+a", "-a shutdown"]);
    expectNothingLeft(kernel, clock);
  });

  test("fails startChild, and the specification is not kept", async () => {
    const { kernel, clock, supervise, start } = prepared();
    const { ref, stop } = await supervise({ children: ["a"] });
    const result = await ref.startChild({ id: "bad", start });
    expect(result).toMatchObject({ ok: false, error: "failed", reason });
    expect(await ref.countChildren()).toMatchObject({ specs: 1, active: 1 });
    await stop();
    expectNothingLeft(kernel, clock);
  });

  test("is tried again when it was a restart, until the intensity is exceeded", async () => {
    const { kernel, clock, supervise, start, alarms } = prepared();
    let first: Promise<StartResult> | undefined;
    const once: ChildSpec = {
      id: "bad",
      name: "bad",
      start: (options, environment) => {
        if (first !== undefined) return start(options, environment);
        first = kernel.start({ handle: () => {} }, options);
        return first;
      },
    };
    const { ended } = await supervise({ maxRestarts: 2, children: [once] });
    kernel.exit(kernel.whereis("bad")!, fault);
    expect(await ended).toEqual(shutdown);
    expect(alarms.filter(({ event }) => event === "start_error")).toMatchObject([
      { reason },
      { reason },
    ]);
    expectNothingLeft(kernel, clock);
  });
});

test("a gen-server whose init never returns is killed when its time to start is up", async () => {
  const { kernel, clock, child, trace } = tracedKernel();
  const hanging: ChildSpec = { id: "hangs", name: "hangs", startMs: 250, start: [Hanging] };
  const starting = startSupervisor(kernel, {
    strategy: "one_for_one",
    children: [child("a"), hanging],
  });
  await clock.armed(250);
  expect(kernel.info(kernel.whereis("hangs")!)).toMatchObject({ status: "starting" });
  clock.advance(250);
  const reason: ExitReason = { type: "exit", value: { type: "start_timeout", startMs: 250 } };
  expect(await starting).toEqual({
    type: "failed",
    reason: { type: "shutdown", detail: { failed_to_start_child: "hangs", reason } },
  });
  expect(trace).toEqual(["+a", "-a shutdown"]);
  expectNothingLeft(kernel, clock);
});

test("a gen-server that is added and whose init never returns is killed, and the supervisor goes on", async () => {
  const { kernel, clock, supervise } = tracedKernel();
  const { ref, stop } = await supervise({ children: ["a"] });
  const adding = ref.startChild({ id: "hangs", name: "hangs", startMs: 250, start: [Hanging] });
  await clock.armed(250);
  clock.advance(250);
  expect(await adding).toMatchObject({ ok: false, error: "failed" });
  expect([kernel.whereis("hangs"), kernel.processCount]).toEqual([undefined, 2]);
  await stop();
  expectNothingLeft(kernel, clock);
});

test("without a startMs a worker has 300 seconds to start, a supervisor has no limit", async () => {
  const { kernel, clock, supervise } = tracedKernel();
  const { ref, pid } = await supervise({ children: [] });
  const adding = ref.startChild({ id: "hangs", start: [Hanging] });
  await clock.armed(300_000);
  clock.advance(300_000);
  expect(await adding).toMatchObject({ ok: false, error: "failed" });
  const hanging = ref.startChild({ id: "sup", type: "supervisor", start: () => never });
  hanging.catch(() => {}); // It ends with the supervisor.
  expect(clock.pending()).toBeLessThanOrEqual(1); // The deadlines of calls tick; no time to start runs.
  kernel.exit(pid, { type: "kill" });
  await expect(hanging).rejects.toMatchObject({ code: "exited", reason: killed });
});

test("a start function that never settles has failed when its time is up; what it brings up later is killed", async () => {
  const { kernel, clock, supervise } = tracedKernel();
  const mayStart = Promise.withResolvers<void>();
  const end = Promise.withResolvers<ExitReason>();
  const late: ChildSpec = {
    id: "late",
    startMs: 100,
    start: async (options) => {
      await mayStart.promise;
      const result = await kernel.start({ handle: () => {} }, options);
      kernel.monitor(startedPid(result), end.resolve);
      return result;
    },
  };
  const { ref, stop } = await supervise({ children: ["a"] });
  const adding = ref.startChild(late);
  await clock.armed(100);
  clock.advance(100);
  expect(await adding).toMatchObject({ ok: false, error: "failed" });
  mayStart.resolve();
  expect(await end.promise).toEqual(killed);
  expect(await ref.whichChildren()).toMatchObject([{ id: "a", state: "running" }]);
  await stop();
  expectNothingLeft(kernel, clock);
});

test("a child that has crashed before its start is noticed was started, and is restarted as any other", async () => {
  const { kernel, clock, supervise, alarms } = tracedKernel();
  let starts = 0;
  const brief: StartChild = async (options) => {
    starts += 1;
    const result = await kernel.start({ handle: () => {} }, options);
    kernel.exit(startedPid(result), fault);
    return result;
  };
  const { ended } = await supervise({ maxRestarts: 5, children: [{ id: "brief", start: brief }] });
  expect(await ended).toEqual(shutdown);
  expect(starts).toBe(6);
  expect(alarms[0]).toMatchObject({ event: "child_terminated", reason: fault });
  expectNothingLeft(kernel, clock);
});

test("a start that returns a process that ended long ago: a child that ended with noproc", async () => {
  const { kernel, clock, supervise, alarms, endOf } = tracedKernel();
  const dead = kernel.spawn(() => {});
  await endOf(dead);
  const start: StartChild = async () => ({ type: "started", pid: dead });
  const { ended } = await supervise({ maxRestarts: 2, children: ["a", { id: "dead", start }] });
  expect(await ended).toEqual(shutdown);
  expect(alarms.map(({ event }) => event)).toEqual([
    ...Array<string>(3).fill("child_terminated"),
    "supervisor_shutdown",
  ]);
  expect(alarms[0]).toMatchObject({ child: "dead", reason: noproc });
  expectNothingLeft(kernel, clock);
});

test("a child that crashes in its first step is restarted until the intensity is exceeded", async () => {
  const { kernel, clock, supervise } = tracedKernel();
  let starts = 0;
  class Brief extends GenServer {
    override init(): void {
      starts += 1;
      this.self.continueWith("crash");
    }
    override handleContinue(): void {
      throw new Error("brief");
    }
  }
  const { ended } = await supervise({ maxRestarts: 5, children: [{ id: "b", start: [Brief] }] });
  expect(await ended).toEqual(shutdown);
  expect(starts).toBe(6);
  expectNothingLeft(kernel, clock);
});
