import { killed, normal, shutdown } from "@coppice/kernel";
import { GenServer, startSupervisor } from "@coppice/otp";
import { expect, test } from "vitest";
import { fault, tracedKernel } from "./kernel.ts";

/** What every report of a supervisor says of the child: OTP's supervisor and offender. */
const offender = {
  supervisor: "sup",
  child: "a",
  restart: "permanent",
  significant: false,
  shutdownMs: 5_000,
  type: "worker",
};

test("C-085: a crash is reported as crash, child_terminated, progress, in this order", async () => {
  const { kernel, supervise, end, logs } = tracedKernel();
  const { ref } = await supervise({ children: ["a"] }, { name: "sup" });
  const before = kernel.whereis("a")!.toString();
  logs.length = 0;
  await end("a");
  await ref.whichChildren();
  const after = kernel.whereis("a")!.toString();
  expect(logs).toEqual([
    expect.objectContaining({ event: "crash", pid: before, name: "a", reason: fault }),
    {
      event: "child_terminated",
      ...offender,
      pid: before,
      reason: fault,
      action: "restarting: 1 of at most 3 within 5 s",
    },
    { event: "progress", ...offender, pid: after, restarts: 1 },
  ]);
});

test.each([
  ["transient", normal],
  ["transient", shutdown],
  ["temporary", normal],
  ["temporary", shutdown],
] as const)("C-087: the end of a %s child with $type is not reported", async (restart, reason) => {
  const { supervise, child, end, logs } = tracedKernel();
  const { ref } = await supervise({ children: [child("a", { restart })] });
  logs.length = 0;
  await end("a", reason);
  await ref.whichChildren();
  expect(logs).toEqual([]);
});

test("C10: the end of a permanent child is reported whatever its reason", async () => {
  const { supervise, end, alarms } = tracedKernel();
  const { ref } = await supervise({ children: ["a"] });
  await end("a", normal);
  await ref.whichChildren();
  expect(alarms).toMatchObject([{ event: "child_terminated", child: "a", reason: normal }]);
});

test("C-089: a temporary child that crashes is reported, and nothing has started", async () => {
  const { supervise, child, end, logs } = tracedKernel();
  const { ref } = await supervise({ children: [child("a", { restart: "temporary" })] });
  logs.length = 0;
  await end("a");
  await ref.whichChildren();
  expect(logs).toMatchObject([
    { event: "crash" },
    { event: "child_terminated", restart: "temporary", action: "forgotten" },
  ]);
});

test("C-091: a child that was killed because its time was up is a shutdown_error with the reason killed", async () => {
  const { kernel, clock, supervise, logs } = tracedKernel();
  const deaf = {
    id: "a",
    start: (options: object) => kernel.start({ handle: () => {} }, { ...options, trapExit: true }),
  };
  const { ref } = await supervise({ children: [deaf] }, { name: "sup" });
  const [row] = await ref.whichChildren();
  logs.length = 0;
  const stopping = ref.terminateChild("a");
  await clock.armed(5_000);
  clock.advance(5_000);
  expect(await stopping).toEqual({ ok: true });
  expect(logs).toEqual([
    {
      event: "shutdown_error",
      ...offender,
      pid: row!.pid!.toString(),
      reason: killed,
      action: "it was stopped",
    },
  ]);
});

test("C10: a child that crashes while it is stopped is a shutdown_error with the reason of the crash", async () => {
  const { supervise, alarms } = tracedKernel();
  class Clumsy extends GenServer {
    static override readonly trapExit = true;
    override terminate(): void {
      throw new Error("dropped it");
    }
  }
  const { stop } = await supervise({ children: [{ id: "a", start: [Clumsy] }] });
  expect(await stop()).toEqual(shutdown);
  const error = { message: "dropped it" };
  expect(alarms).toMatchObject([
    { event: "crash", reason: { error } },
    { event: "shutdown_error", child: "a", reason: { type: "error", error } },
  ]);
});

test("C-093: a child that does not start: progress of those before it, then start_error with the reason", async () => {
  const { kernel, child, broken, logs } = tracedKernel();
  broken.add("a");
  const children = [child("first"), child("a"), child("never")];
  await startSupervisor(kernel, { strategy: "one_for_one", children }, { name: "sup" });
  expect(logs).toEqual([
    expect.objectContaining({ event: "progress", child: "first" }),
    expect.objectContaining({ event: "crash", name: "a", during: "start" }),
    {
      event: "start_error",
      ...offender,
      pid: undefined,
      reason: { type: "exit", value: "a is broken" },
      action: "the supervisor does not start",
    },
  ]);
});

test("C10: a crash beyond the limit is reported as crash, child_terminated, supervisor_shutdown", async () => {
  const { supervise, end, logs } = tracedKernel();
  const { ended } = await supervise({ maxRestarts: 0, children: ["a"] }, { name: "sup" });
  logs.length = 0;
  await end("a");
  await ended;
  expect(logs).toEqual([
    expect.objectContaining({ event: "crash" }),
    expect.objectContaining({
      event: "child_terminated",
      action: "not restarted: more than 0 restarts within 5 s",
    }),
    {
      event: "supervisor_shutdown",
      ...offender,
      pid: undefined,
      reason: "reached_max_restart_intensity",
      maxRestarts: 0,
      maxSeconds: 5,
    },
  ]);
});

test("C10: a restart that fails is a start_error each time, and says how many are left", async () => {
  const { supervise, end, broken, alarms } = tracedKernel();
  const { ended } = await supervise({ maxRestarts: 2, children: ["a"] });
  broken.add("a");
  await end("a");
  await ended;
  expect(alarms.map(({ event, action }) => [event, action])).toEqual([
    ["crash", undefined],
    ["child_terminated", "restarting: 1 of at most 2 within 5 s"],
    ["crash", undefined],
    ["start_error", "restarting: 2 of at most 2 within 5 s"],
    ["crash", undefined],
    ["start_error", "not restarted: more than 2 restarts within 5 s"],
    ["supervisor_shutdown", undefined],
  ]);
});

test("C10: an orderly stop of a tree logs nothing", async () => {
  const { supervise, child, logs } = tracedKernel();
  const { stop } = await supervise({
    children: ["a", child("b", { restart: "transient" }), child("c", { shutdownMs: 0 })],
  });
  logs.length = 0;
  await stop();
  expect(logs).toEqual([]);
});
