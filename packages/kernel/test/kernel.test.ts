import {
  type Behaviour,
  CallError,
  ExitError,
  type Incoming,
  kill,
  normal,
  shutdown,
} from "@coppice/kernel";
import { simulatedClock } from "@coppice/testkit";
import { describe, expect, test } from "vitest";
import { fenceRetryMs } from "../src/fence.ts";
import { endOf, eventLogger, kernelOf, pairOfKernels, recorder } from "./nodes.ts";

const fault = { type: "exit", value: "fault" } as const;

describe("calls", () => {
  test("B2.2: a call answers with what the process replied", async () => {
    const kernel = kernelOf("a");
    kernel.spawn(recorder(), { name: "echo" });
    expect(await kernel.call("echo", "echo", [1, "two"])).toEqual([1, "two"]);
    expect(kernel.pending.calls).toBe(0);
  });

  test("a call to a name nobody holds certainly did not run", async () => {
    const call = kernelOf("a").call("nobody", "echo", []);
    await expect(call).rejects.toMatchObject({ code: "noproc", executed: "no" });
  });

  test("B2.1: a call that is not answered in time ends as timeout, and may have run", async () => {
    const kernel = kernelOf("a");
    kernel.spawn(recorder(), { name: "slow" });
    const call = kernel.call("slow", "hang", [], { timeoutMs: 5 });
    await expect(call).rejects.toMatchObject({ code: "timeout", executed: "maybe" });
    expect(kernel.pending.calls).toBe(0);
  });

  test("a crash fails the running call as maybe executed, and the waiting one as not executed", async () => {
    const logger = eventLogger();
    const kernel = kernelOf("a", logger);
    kernel.spawn(recorder(), { name: "fragile" });
    const running = kernel.call("fragile", "fail", []);
    const waiting = kernel.call("fragile", "echo", []);
    await expect(running).rejects.toMatchObject({ code: "exited", executed: "maybe" });
    await expect(waiting).rejects.toMatchObject({ code: "exited", executed: "no" });
    expect(logger.events).toEqual(["crash"]);
    expect(kernel.whereis("fragile")).toBeUndefined();
  });

  test("a call that was handled and waits for its reply may have run when the process ends", async () => {
    const kernel = kernelOf("a");
    const pid = kernel.spawn({ handle: () => {} });
    const call = kernel.call(pid, "later", []);
    await kernel.call(pid, "also", [], { timeoutMs: 1 }).catch(() => {});
    kernel.exit(pid, fault);
    await expect(call).rejects.toMatchObject({ code: "exited", executed: "maybe" });
  });

  test("a full mailbox refuses the call before it runs", async () => {
    const kernel = kernelOf("a");
    const pid = kernel.spawn(recorder(), { mailboxCapacity: 1 });
    const first = kernel.call(pid, "echo", []);
    const second = kernel.call(pid, "echo", []);
    await expect(second).rejects.toMatchObject({ code: "overloaded", executed: "no" });
    await first;
  });

  test("a process that calls itself is refused instead of waiting for ever", async () => {
    const kernel = kernelOf("a");
    const outcome = Promise.withResolvers<unknown>();
    const pid = kernel.spawn({
      handle: async (_, self) => outcome.resolve(await self.call(self.pid, "x", []).catch(String)),
    });
    kernel.send(pid, "go");
    expect(await outcome.promise).toContain("cannot call itself");
  });

  test("what could not cross to another node is refused on this one too, to both sides", async () => {
    const kernel = kernelOf("a");
    const pid = kernel.spawn({
      handle: (message) => {
        if (message.type === "call") message.reply({ ok: true, value: () => 1 });
      },
    });
    expect(() => kernel.send(pid, new Error("e"))).toThrow(/message is an instance of Error/);
    expect(() => kernel.cast(pid, "x", [() => 1])).toThrow(/args\[0\] is a function/);
    await expect(kernel.call(pid, "x", [{ a: Symbol("s") }])).rejects.toThrow(
      /args\[0\]\.a is a symbol/,
    );
    const call = kernel.call(pid, "x", []);
    await expect(call).rejects.toMatchObject({ code: "failed", executed: "maybe" });
    await expect(call).rejects.toThrow(/what x returned is a function/);
    expect(kernel.isAlive(pid)).toBe(false);
  });

  test("a process whose fence is down neither runs a call nor lets its answer out", async () => {
    const kernel = kernelOf("a");
    let owns = true;
    const gate = Promise.withResolvers<void>();
    const pid = kernel.spawn(
      {
        handle: async (message) => {
          await gate.promise;
          if (message.type === "call") message.reply({ ok: true, value: "stale" });
        },
      },
      { fence: () => owns },
    );
    const running = kernel.call(pid, "x", []);
    const waiting = kernel.call(pid, "x", []);
    await new Promise((resolve) => setImmediate(resolve));
    owns = false;
    gate.resolve();
    await expect(running).rejects.toMatchObject({ code: "noconnection", executed: "maybe" });
    await expect(waiting).rejects.toMatchObject({ code: "noconnection", executed: "no" });
  });
});

test("N2: what a process sends while its fence is down leaves when it is up again, in order, or never", async () => {
  const clock = simulatedClock();
  const kernel = kernelOf("a", eventLogger(), clock);
  const got: unknown[] = [];
  const receiver = kernel.spawn({
    handle: (message) => {
      if (message.type === "info") got.push(message.message);
      if (message.type === "cast") got.push(message.args[0]);
    },
  });
  let owns = true;
  const say: Behaviour = {
    handle: (message, self) => {
      if (message.type !== "info") return;
      const [first, second] = message.message as [unknown, unknown];
      owns = false; // It loses its name while it runs.
      const mutable = { first };
      self.send(receiver, mutable);
      mutable.first = "changed";
      self.cast(receiver, "say", [second]);
    },
  };
  const pid = kernel.spawn(say, { fence: () => owns });
  kernel.send(pid, [1, 2]);
  await clock.advance(fenceRetryMs * 3);
  expect(got).toEqual([]);
  owns = true;
  await clock.advance(fenceRetryMs);
  expect(got).toEqual([{ first: 1 }, 2]);
  kernel.send(pid, [3, 4]);
  await clock.advance(1);
  kernel.exit(pid, kill);
  owns = true;
  await clock.advance(fenceRetryMs * 3);
  expect(got).toEqual([{ first: 1 }, 2]);
});

test("what waits behind a fence is handled when it is up again, and the parent is heard at once", async () => {
  const clock = simulatedClock();
  const kernel = kernelOf("a", eventLogger(), clock);
  let owns = true;
  const fence = (): boolean => owns;
  const seen: unknown[] = [];
  const parent = kernel.spawn({ handle: () => {} });
  const behaviour = {
    handle: (message: Incoming) => {
      seen.push(message.type === "info" ? message.message : message.type);
    },
  };
  const pid = kernel.spawn(behaviour, { fence, link: parent, trapExit: true });
  const receiver = kernel.spawn(
    async (self) => {
      const wanted = (each: Incoming): boolean => each.type === "info" && each.message === "b";
      const message = await self.receive(wanted);
      seen.push(["received", message.type === "info" && message.message]);
    },
    { fence },
  );
  owns = false;
  kernel.send(pid, "tick");
  kernel.send(receiver, "a");
  kernel.send(receiver, "b");
  const refused = kernel.call(pid, "x", []).catch((thrown: CallError) => thrown);
  await clock.advance(1_000);
  expect(seen).toEqual([]);
  expect(await refused).toMatchObject({ code: "noconnection", executed: "no" });
  kernel.exit(pid, shutdown, parent);
  await clock.advance(0);
  expect(seen).toEqual(["exit"]);
  owns = true;
  await clock.advance(fenceRetryMs);
  expect(seen).toEqual(["exit", "tick", ["received", "b"]]);
  kernel.send(pid, "last");
  owns = false;
  await clock.advance(0);
  kernel.exit(pid, kill);
  await clock.advance(100);
  expect(clock.pending()).toBe(0);
});

describe("exit signals", () => {
  test("A2.2: normal from another process is ignored, another reason ends the receiver", async () => {
    const kernel = kernelOf("a");
    const [pid, other] = [kernel.spawn(recorder()), kernel.spawn(recorder())];
    kernel.exit(pid, normal, other);
    expect(kernel.isAlive(pid)).toBe(true);
    const end = endOf(kernel, pid);
    kernel.exit(pid, fault, other);
    expect(await end).toEqual(fault);
  });

  test("A1.4: kill cannot be trapped, and peers see killed", async () => {
    const kernel = kernelOf("a");
    const pid = kernel.spawn(recorder(), { trapExit: true });
    const end = endOf(kernel, pid);
    kernel.exit(pid, kill);
    expect(await end).toEqual({ type: "killed" });
  });

  test("A2.4: a trapping process gets the signal as a message", async () => {
    const kernel = kernelOf("a");
    const trapping = recorder();
    const pid = kernel.spawn(trapping, { trapExit: true });
    const other = kernel.spawn(recorder());
    kernel.exit(pid, normal, other);
    expect(await trapping.next()).toEqual({ type: "exit", from: other, reason: normal });
  });

  test("A3.2: a linked peer ends with the same reason; after normal it lives", async () => {
    const kernel = kernelOf("a");
    const first = kernel.spawn(recorder());
    const peer = kernel.spawn(recorder(), { link: first });
    const end = endOf(kernel, peer);
    kernel.exit(first, fault);
    expect(await end).toEqual(fault);
    const other = kernel.spawn(recorder());
    const survivor = kernel.spawn(recorder(), { link: other });
    kernel.exit(other, normal);
    expect([kernel.isAlive(other), kernel.isAlive(survivor)]).toEqual([false, true]);
  });

  test("A3.4: a link to a dead process gives noproc", async () => {
    const kernel = kernelOf("a");
    const dead = kernel.spawn(recorder());
    kernel.exit(dead, shutdown);
    const pid = kernel.spawn(recorder());
    const end = endOf(kernel, pid);
    kernel.link(pid, dead);
    expect(await end).toEqual({ type: "noproc" });
  });

  test("a throw of anything at all becomes the exit reason", async () => {
    const kernel = kernelOf("a");
    for (const thrown of [null, 7, new Error("boom"), new ExitError(fault)]) {
      const pid = kernel.spawn({
        handle: () => {
          throw thrown;
        },
      });
      const end = endOf(kernel, pid);
      kernel.send(pid, "go");
      expect(await end).toMatchObject({ type: thrown instanceof ExitError ? "exit" : "error" });
    }
  });
});

describe("monitors and names", () => {
  test("A4.3: monitoring a dead process gives noproc", async () => {
    const kernel = kernelOf("a");
    const dead = kernel.spawn(recorder());
    kernel.exit(dead, kill);
    expect(await endOf(kernel, dead)).toEqual({ type: "noproc" });
  });

  test("A1.5: the name is free by the time the end is seen", async () => {
    const kernel = kernelOf("a");
    const pid = kernel.spawn(recorder(), { name: "room" });
    const seen = Promise.withResolvers<unknown>();
    kernel.monitor(pid, () => seen.resolve(kernel.whereis("room")));
    kernel.exit(pid, fault);
    expect(await seen.promise).toBeUndefined();
    expect(() => kernel.spawn(recorder(), { name: "room" })).not.toThrow();
  });

  test("A5.1: a second process under a taken name is refused", async () => {
    const kernel = kernelOf("a");
    const pid = kernel.spawn(recorder(), { name: "room" });
    expect(() => kernel.spawn(recorder(), { name: "room" })).toThrow(/room is taken/);
    const value = { type: "already_started", pid };
    const result = await kernel.start(recorder(), { name: "room" });
    expect(result).toEqual({ type: "failed", reason: { type: "exit", value } });
  });

  test("start waits for start to return, and tells why it failed", async () => {
    const kernel = kernelOf("a");
    const gate = Promise.withResolvers<void>();
    const starting = kernel.start({ start: () => gate.promise, handle: () => {} });
    gate.resolve();
    expect(await starting).toMatchObject({ type: "started" });
    const failing = await kernel.start({
      start: () => {
        throw new Error("no disk");
      },
      handle: () => {},
    });
    expect(failing).toMatchObject({ type: "failed", reason: { error: { message: "no disk" } } });
    const ignoring = await kernel.start({
      start: () => {
        throw new ExitError(normal);
      },
      handle: () => {},
    });
    expect(ignoring).toEqual({ type: "ignored" });
  });
});

describe("two nodes", () => {
  test("A6.1: messages and the exit of their sender arrive in sending order", async () => {
    const { a, b } = pairOfKernels();
    const receiver = recorder();
    const pid = b.spawn(receiver, { trapExit: true });
    const sender = a.spawn({
      handle: (_, self) => {
        self.link(pid);
        for (let count = 0; count < 3; count += 1) self.send(pid, count);
        throw new ExitError(fault);
      },
    });
    a.send(sender, "go");
    while (receiver.seen.length < 4) await receiver.next();
    expect(receiver.seen).toEqual([0, 1, 2, { type: "exit", from: sender, reason: fault }]);
  });

  test("a call crosses nodes, and so does its failure", async () => {
    const { a, b } = pairOfKernels();
    const pid = b.spawn(recorder());
    expect(await a.call(pid, "echo", ["hi"])).toEqual(["hi"]);
    await expect(a.call(pid, "fail", [])).rejects.toThrow(CallError);
    await expect(a.call(pid, "echo", [])).rejects.toMatchObject({ code: "noproc" });
  });

  test("M1: losing a node ends every call, link and monitor to it with noconnection at once", async () => {
    const { a, b, cut } = pairOfKernels();
    const far = b.spawn(recorder());
    const linked = a.spawn(recorder());
    a.link(linked, far);
    const call = a.call(far, "hang", []);
    const ends = [endOf(a, far), endOf(a, linked)];
    await new Promise((resolve) => setImmediate(resolve));
    cut();
    await expect(call).rejects.toMatchObject({ code: "noconnection", executed: "maybe" });
    expect(await Promise.all(ends)).toEqual([{ type: "noconnection" }, { type: "noconnection" }]);
    expect(a.pending).toMatchObject({ calls: 0, remoteMonitors: 0 });
  });
});

test("processes that keep each other busy do not starve timers", async () => {
  const kernel = kernelOf("a");
  let stop = false;
  const peers = [0, 1].map((index) =>
    kernel.spawn({
      handle: async (_, self) => {
        await Promise.resolve();
        if (!stop) self.send(peers[1 - index]!, "go");
      },
    }),
  );
  kernel.send(peers[0]!, "go");
  await new Promise((resolve) => setTimeout(resolve, 1));
  stop = true;
  expect(kernel.info(peers[0]!)!.handled).toBeGreaterThan(0);
});
