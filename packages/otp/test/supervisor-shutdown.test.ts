import { ExitError, type ExitReason, kill, killed, normal, shutdown } from "@coppice/kernel";
import { type ChildSpec, GenServer, SupervisorRef } from "@coppice/otp";
import { expect, test } from "vitest";
import { expectNothingLeft, fault, tracedKernel } from "./kernel.ts";

type TestKernel = ReturnType<typeof tracedKernel>["kernel"];

/** A child that traps exits and does on an exit signal what `onExit` says. */
function trapping(
  kernel: TestKernel,
  spec: Omit<ChildSpec, "start">,
  onExit: () => void | Promise<void>,
): ChildSpec {
  return {
    ...spec,
    start: (options) => kernel.start({ handle: onExit }, { ...options, trapExit: true }),
  };
}

test("C-035: a child that ignores shutdown is killed when its time is up, and that is reported", async () => {
  const { kernel, clock, supervise, endOf, alarms } = tracedKernel();
  const { pid, ended } = await supervise({
    children: [trapping(kernel, { id: "deaf", name: "deaf", shutdownMs: 50 }, () => {})],
  });
  const end = endOf("deaf");
  kernel.exit(pid, shutdown);
  await clock.armed(50);
  clock.advance(49);
  expect(kernel.whereis("deaf")).toBeDefined();
  clock.advance(1);
  expect(await end).toEqual(killed);
  expect(await ended).toEqual(shutdown);
  expect(alarms).toMatchObject([{ event: "shutdown_error", child: "deaf", reason: killed }]);
  expectNothingLeft(kernel, clock);
});

test("C3.5: a child with shutdownMs 0 is killed at once, which is no error", async () => {
  const { kernel, clock, supervise, endOf, alarmed, trace } = tracedKernel();
  const told = trapping(
    kernel,
    { id: "a", name: "a", shutdownMs: 0 },
    () => void trace.push("told"),
  );
  const { stop } = await supervise({ children: [told] });
  const end = endOf("a");
  await stop();
  expect([await end, trace, alarmed()]).toEqual([killed, [], []]);
  expectNothingLeft(kernel, clock);
});

test("C-037: a child with shutdownMs Infinity is waited for, however long it takes", async () => {
  const { kernel, clock, supervise, endOf, alarmed } = tracedKernel();
  const asked = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const slow = trapping(kernel, { id: "slow", name: "slow", shutdownMs: Infinity }, async () => {
    asked.resolve();
    await done.promise;
    throw new ExitError(shutdown);
  });
  const { pid, ended } = await supervise({ children: [slow] });
  const end = endOf("slow");
  kernel.exit(pid, shutdown);
  await asked.promise;
  clock.advance(86_400_000);
  expect([kernel.isAlive(pid), clock.pending()]).toEqual([true, 0]);
  done.resolve();
  expect([await end, await ended, alarmed()]).toEqual([shutdown, shutdown, []]);
  expectNothingLeft(kernel, clock);
});

test("C-039: a child that removed its link to the supervisor is stopped all the same", async () => {
  const { kernel, clock, supervise, endOf } = tracedKernel();
  class Unlinked extends GenServer {
    override init(): void {
      this.self.unlink(this.self.parent!);
    }
  }
  const { ref, stop } = await supervise({ children: [{ id: "a", name: "a", start: [Unlinked] }] });
  const end = endOf("a");
  expect(await ref.terminateChild("a")).toEqual({ ok: true });
  expect(await end).toEqual(shutdown);
  await stop();
  expectNothingLeft(kernel, clock);
});

test("C3.5: stopping a child that removed its link and has ended does not hang", async () => {
  const { kernel, clock, supervise, endOf } = tracedKernel();
  class Unlinked extends GenServer {
    override init(): void {
      this.self.unlink(this.self.parent!);
    }
    leave(): void {
      this.self.stop();
    }
  }
  const { ref, stop } = await supervise({ children: [{ id: "a", name: "a", start: [Unlinked] }] });
  const end = endOf("a");
  await kernel.call("a", "leave", []);
  await end;
  expect(await ref.terminateChild("a")).toEqual({ ok: true });
  await stop();
  expectNothingLeft(kernel, clock);
});

test("C8.1: an exit signal of its parent stops the children, and the supervisor ends with that reason", async () => {
  const { kernel, clock, supervise, take, ...base } = tracedKernel();
  const parent = kernel.spawn({ handle: () => {} });
  const { pid, ended } = await supervise({ children: ["a"] }, { link: parent });
  take();
  kernel.exit(pid, fault, parent);
  expect(await ended).toEqual(fault);
  expect(take()).toEqual(["-a shutdown"]);
  await base.endOf(parent);
  expectNothingLeft(kernel, clock);
});

test("C8.1: when its parent ends, the supervisor stops its children and ends with the same reason", async () => {
  const { kernel, clock, supervise, take } = tracedKernel();
  const parent = kernel.spawn({ handle: () => {} });
  const { ended } = await supervise({ children: ["a", "b"] }, { link: parent });
  take();
  kernel.exit(parent, fault);
  expect(await ended).toEqual(fault);
  expect(take()).toEqual(["-b shutdown", "-a shutdown"]);
  expectNothingLeft(kernel, clock);
});

test.each([fault, normal, shutdown] as ExitReason[])(
  "C-059: a stranger's exit signal $type is ignored",
  async (reason) => {
    const { kernel, supervise, alarmed } = tracedKernel();
    const { ref, pid } = await supervise({ children: ["a"] });
    const stranger = kernel.spawn({ handle: () => {} });
    kernel.exit(pid, reason, stranger);
    expect(await ref.whichChildren()).toMatchObject([{ state: "running", restarts: 0 }]);
    expect(alarmed()).toEqual([]);
  },
);

test("C-059: the end of a process the supervisor is linked to, and which is no child, is ignored", async () => {
  const { kernel, supervise } = tracedKernel();
  const { ref, pid } = await supervise({ children: ["a"] });
  const stranger = kernel.spawn({ handle: () => {} }, { parent: pid });
  kernel.link(stranger, pid);
  kernel.exit(stranger, fault);
  expect(await ref.whichChildren()).toMatchObject([{ state: "running", restarts: 0 }]);
});

test("C-061: messages it does not know are logged, and the supervisor lives", async () => {
  const { kernel, supervise, alarms } = tracedKernel();
  const { ref, pid } = await supervise({ children: ["a"] });
  kernel.send(pid, { hello: "supervisor" });
  kernel.cast(pid, "terminateChild", ["a"]);
  await expect(kernel.call(pid, "explode", [])).rejects.toMatchObject({ code: "unknown_function" });
  expect(alarms).toMatchObject([
    { event: "unexpected_message", what: "info" },
    { event: "unexpected_message", what: "cast terminateChild/1" },
  ]);
  expect(await ref.whichChildren()).toMatchObject([{ state: "running", restarts: 0 }]);
});

test("C8.2: when a supervisor is killed, its children get the exit killed and may tidy up", async () => {
  const { kernel, clock, supervise, take, endOf } = tracedKernel();
  const { pid, ended } = await supervise({ children: ["a", "b"] });
  const ends = [endOf("a"), endOf("b")];
  take();
  kernel.exit(pid, kill);
  expect(await ended).toEqual(killed);
  expect(await Promise.all(ends)).toEqual([killed, killed]);
  expect(take().toSorted()).toEqual(["-a killed", "-b killed"]);
  expectNothingLeft(kernel, clock);
});

test("C8.2: a supervisor that is killed while a child starts leaves no process behind", async () => {
  const { kernel, clock, supervise, end, endOf, child } = tracedKernel();
  const starting = Promise.withResolvers<void>();
  let starts = 0;
  class HangsOnRestart extends GenServer {
    override async init(): Promise<void> {
      starts += 1;
      if (starts === 1) return;
      starting.resolve();
      await new Promise<void>(() => {});
    }
    end(reason: ExitReason): void {
      throw new ExitError(reason);
    }
  }
  const hanging: ChildSpec = { id: "h", name: "h", startMs: Infinity, start: [HangsOnRestart] };
  const { pid, ended } = await supervise({ children: [child("a"), hanging] });
  await end("h");
  await starting.promise;
  const ends = [endOf("a"), endOf("h")];
  kernel.exit(pid, kill);
  await Promise.all([ended, ...ends]);
  expectNothingLeft(kernel, clock);
});

test("C8.3: stop stops the children in reverse, and the supervisor ends normal", async () => {
  const { kernel, clock, supervise, take, alarmed } = tracedKernel();
  const { pid, ref, ended } = await supervise({ children: ["a", "b"] });
  take();
  await ref.stop();
  expect(kernel.isAlive(pid)).toBe(false);
  expect(await ended).toEqual(normal);
  expect(take()).toEqual(["-b shutdown", "-a shutdown"]);
  expect(alarmed()).toEqual([]);
  expectNothingLeft(kernel, clock);
});

test("C7: requests to a supervisor that has ended fail with noproc", async () => {
  const { kernel, supervise } = tracedKernel();
  const { ref, stop } = await supervise({ children: ["a"] });
  await stop();
  await expect(ref.whichChildren()).rejects.toMatchObject({ code: "noproc", executed: "no" });
  await expect(new SupervisorRef(kernel, "nobody").countChildren()).rejects.toMatchObject({
    code: "noproc",
  });
});
