import { alreadyStarted, ExitError, kill, normal, type Pid, shutdown } from "@coppice/kernel";
import {
  type Callable,
  changeCode,
  childSpec,
  GenServer,
  getState,
  getStatus,
  replaceState,
  resume,
  ServerRef,
  startGenServer,
  stopGenServer,
  suspend,
} from "@coppice/otp";
import { simulatedClock } from "@coppice/testkit";
import { describe, expect, expectTypeOf, test } from "vitest";
import { endOf, reportingKernel, startedServer } from "./servers.ts";

const bad = { type: "exit", value: "bad" } as const;

/** Does in `init` and when told what a test says. */
class Scripted extends GenServer {
  static override readonly trapExit: boolean = true;
  readonly log: unknown[] = [];
  readonly script: { init?: (self: Scripted) => unknown; act?: (self: Scripted) => unknown };
  constructor(script: Scripted["script"] = {}) {
    super();
    this.script = script;
  }
  override init(): void | Promise<void> {
    return this.script.init?.(this) as Promise<void>;
  }
  act(): unknown {
    return this.script.act?.(this);
  }
  seen(): unknown[] {
    return this.log;
  }
  override handleInfo(message: unknown): void {
    this.log.push(message);
  }
  override handleContinue(about: unknown): void {
    this.log.push(["continue", about]);
  }
  override handleTimeout(): void {
    this.log.push("timeout");
  }
  override handleExit(from: Pid, reason: unknown): void {
    this.log.push(["exit", from, reason]);
  }
  override terminate(reason: unknown): void {
    this.log.push(["terminate", reason]);
  }
}

/** A linked parent that keeps the exits it traps. */
function parentOf(kernel: ReturnType<typeof reportingKernel>["kernel"]) {
  const exits: unknown[] = [];
  const pid = kernel.spawn(
    { handle: (message) => void (message.type === "exit" && exits.push(message.reason)) },
    { trapExit: true },
  );
  return { pid, exits };
}

describe("start", () => {
  test("B-027: init that ignores: nothing runs, a trapping parent sees normal, the name is free", async () => {
    const { kernel } = reportingKernel();
    const { pid, exits } = parentOf(kernel);
    const server = new Scripted({ init: ({ self }) => self.ignore() });
    expect(await startGenServer(kernel, server, { link: pid, name: "x" })).toEqual({
      type: "ignored",
    });
    await expect.poll(() => exits).toEqual([normal]);
    expect([kernel.whereis("x"), server.log]).toEqual([undefined, []]);
  });

  test("B-029: init that stops: the start fails with the reason, and so does a linked parent see it", async () => {
    const { kernel } = reportingKernel();
    const { pid, exits } = parentOf(kernel);
    const server = new Scripted({ init: ({ self }) => self.stop(bad) });
    expect(await startGenServer(kernel, server, { link: pid })).toEqual({
      type: "failed",
      reason: bad,
    });
    await expect.poll(() => exits).toEqual([bad]);
    expect(server.log).toEqual([]); // B4.2: a failed init is not terminated.
  });

  test("B-031: init that throws: the start fails with the error", async () => {
    const { kernel } = reportingKernel();
    for (const init of [
      () => {
        throw new Error("boom");
      },
      () => Promise.reject(new Error("boom")),
    ])
      expect(await startGenServer(kernel, new Scripted({ init }))).toMatchObject({
        type: "failed",
        reason: { type: "error", error: { message: "boom" } },
      });
  });

  test("B-033: what init returns does not count: there is no bad return value", async () => {
    const { kernel } = reportingKernel();
    const { pid } = await startedServer(kernel, new Scripted({ init: () => "foo" }));
    expect(kernel.isAlive(pid)).toBe(true);
  });

  test("B-035: init that exits shutdown fails the start and logs nothing", async () => {
    const { kernel, reports } = reportingKernel();
    const reason = { type: "shutdown", detail: "no licence" } as const;
    const server = new Scripted({
      init: () => {
        throw new ExitError(reason);
      },
    });
    expect(await startGenServer(kernel, server)).toEqual({ type: "failed", reason });
    expect(reports).toEqual([]);
  });

  test("B-037: the name of a server whose init failed is free when the start returns", async () => {
    const { kernel } = reportingKernel();
    await startGenServer(kernel, new Scripted({ init: ({ self }) => self.stop(bad) }), {
      name: "x",
    });
    expect(kernel.whereis("x")).toBeUndefined();
  });

  test("B-039: without a name a server has none", async () => {
    const { kernel } = reportingKernel();
    const { pid } = await startedServer(kernel, new Scripted());
    expect(kernel.info(pid)!.name).toBeUndefined();
  });

  test("B-081: init that takes longer than it may: the start fails, the server is killed", async () => {
    const clock = simulatedClock();
    const { kernel } = reportingKernel(clock);
    const server = new Scripted({ init: () => new Promise(() => {}) });
    const starting = startGenServer(kernel, server, { startMs: 1_000 });
    await clock.advance(1_000);
    expect(await starting).toEqual({
      type: "failed",
      reason: { type: "exit", value: { type: "start_timeout", startMs: 1_000 } },
    });
    expect([kernel.processCount, clock.pending()]).toEqual([0, 0]);
  });

  test("B-087: a second server under a name does not start, and tells who has it", async () => {
    const { kernel } = reportingKernel();
    const { pid } = await startedServer(kernel, new Scripted(), { name: "x" });
    const second = new Scripted({ init: ({ log }) => log.push("ran") });
    expect(alreadyStarted(await startGenServer(kernel, second, { name: "x" }))).toEqual(pid);
    expect(second.log).toEqual([]); // B1.3: its init has not run.
  });

  test("B-061: the child specification of a class: its id is the class's name", () => {
    class Counter extends GenServer {
      readonly from: number;
      constructor(from: number) {
        super();
        this.from = from;
      }
    }
    expect(childSpec(Counter, [1])).toEqual({ id: "Counter", start: [Counter, 1] });
    expect(childSpec(Counter, [1], { id: "c", restart: "transient", shutdownMs: 1 })).toEqual({
      id: "c",
      start: [Counter, 1],
      restart: "transient",
      shutdownMs: 1,
    });
    expect(() => childSpec(Counter, [1], { start: 1 } as never)).toThrow(/no start to override/);
    // @ts-expect-error the constructor takes a number
    childSpec(Counter, ["one"]);
  });
});

describe("what follows a callback", () => {
  test("B-041: a continue runs before any message, also before those that waited", async () => {
    const { kernel } = reportingKernel();
    const server = new Scripted({
      init: ({ self }) => {
        self.send(self.pid, "queued in init");
        self.continueWith("first");
      },
      act: ({ self }) => self.continueWith("second"),
    });
    const { ref, pid } = await startedServer(kernel, server);
    ref.cast("act", []);
    kernel.send(pid, "after");
    await ref.call("seen", []);
    expect(server.log).toEqual([
      ["continue", "first"],
      "queued in init",
      ["continue", "second"],
      "after",
    ]);
  });

  test("B-043: any message cancels the idle time", async () => {
    const clock = simulatedClock();
    const { kernel } = reportingKernel(clock);
    const server = new Scripted({ act: ({ self }) => self.idle(100) });
    const starting = startedServer(kernel, server);
    await clock.advance(0);
    const { ref, pid } = await starting;
    ref.cast("act", []);
    await clock.advance(99);
    kernel.send(pid, "message");
    await clock.advance(200);
    expect(server.log).toEqual(["message"]);
    ref.cast("act", []);
    await clock.advance(100);
    expect(server.log).toEqual(["message", "timeout"]);
    ref.cast("act", []);
    await clock.advance(0);
    kernel.exit(pid, kill);
    expect(clock.pending()).toBe(0);
  });

  test("looking at a server does not end its idle time", async () => {
    const clock = simulatedClock();
    const { kernel } = reportingKernel(clock);
    const server = new Scripted({ init: ({ self }) => self.idle(100) });
    const starting = startedServer(kernel, server);
    await clock.advance(50);
    const { pid } = await starting;
    const looking = getState(kernel, pid);
    await clock.advance(50);
    await looking;
    expect(server.log).toEqual(["timeout"]);
  });

  test("an idle time that is none is refused", async () => {
    const { kernel } = reportingKernel();
    for (const ms of [-1, Number.NaN]) {
      const { ref } = await startedServer(
        kernel,
        new Scripted({ act: ({ self }) => self.idle(ms) }),
      );
      await expect(ref.call("act", [])).rejects.toThrow(/0 or more milliseconds/);
    }
  });

  test("B-075: a server that hibernates answers as before", async () => {
    const { kernel } = reportingKernel();
    const server = new Scripted({ act: ({ self }) => self.hibernate() });
    const { ref } = await startedServer(kernel, server);
    await ref.call("act", []);
    expect(await ref.call("seen", [])).toEqual([]);
  });
});

describe("the end", () => {
  test("B-045: stopping what does not run says noproc", async () => {
    const { kernel } = reportingKernel();
    const { pid } = await startedServer(kernel, new Scripted(), { name: "x" });
    await stopGenServer(kernel, "x");
    for (const gone of [pid, "x"])
      await expect(stopGenServer(kernel, gone)).rejects.toMatchObject({ code: "noproc" });
  });

  test("B4.5: stopping waits for the end, and tells if it was another one", async () => {
    const { kernel } = reportingKernel();
    const first = await startedServer(kernel, new Scripted());
    await stopGenServer(kernel, first.pid, { reason: shutdown });
    expect(first.server.log).toEqual([["terminate", shutdown]]);
    class Failing extends GenServer {
      override terminate(): void {
        throw new Error("in terminate");
      }
    }
    const { pid } = await startedServer(kernel, new Failing());
    await expect(stopGenServer(kernel, pid)).rejects.toMatchObject({ code: "exited" });
    const own = await startedServer(kernel, new Scripted());
    await expect(stopGenServer(kernel, own.pid, { from: own.pid })).rejects.toMatchObject({
      code: "calling_self",
    });
  });

  test("B-047: stopping a busy server times out for the caller only", async () => {
    const { kernel } = reportingKernel();
    const gate = Promise.withResolvers<string>();
    const { ref, pid } = await startedServer(kernel, new Scripted({ act: () => gate.promise }));
    const busy = ref.call("act", []);
    const stop = stopGenServer(kernel, pid, { timeoutMs: 5 });
    await expect(stop).rejects.toMatchObject({ code: "timeout" });
    expect(kernel.isAlive(pid)).toBe(true);
    gate.resolve("done");
    expect(await busy).toBe("done");
  });

  test("B-049: shutdown ends a server that does not trap without terminate", async () => {
    class Plain extends Scripted {
      static override readonly trapExit = false;
    }
    const { kernel } = reportingKernel();
    const { pid, server } = await startedServer(kernel, new Plain());
    const end = endOf(kernel, pid);
    kernel.exit(pid, shutdown);
    expect([await end, server.log]).toEqual([shutdown, []]);
  });

  test("B-051: an exit signal of another than the parent is a message to a trapping server", async () => {
    const { kernel } = reportingKernel();
    const stranger = kernel.spawn({ handle: () => {} });
    const { pid, server, ref } = await startedServer(kernel, new Scripted());
    kernel.exit(pid, bad, stranger);
    await ref.call("seen", []);
    expect(server.log).toEqual([["exit", stranger, bad]]);
  });

  test("B-053: a server that does not trap outlives a parent that ends normally", async () => {
    class Plain extends Scripted {
      static override readonly trapExit = false;
    }
    const { kernel } = reportingKernel();
    const parent = kernel.spawn({ handle: () => {} });
    const { ref } = await startedServer(kernel, new Plain(), { link: parent });
    kernel.exit(parent, normal);
    expect(await ref.call("seen", [])).toEqual([]);
  });

  test("B4.1: a trapping server terminates when its parent ends, whatever the reason", async () => {
    for (const reason of [normal, shutdown, bad]) {
      const { kernel } = reportingKernel();
      const parent = kernel.spawn({ handle: () => {} });
      const { pid, server } = await startedServer(kernel, new Scripted(), { link: parent });
      const end = endOf(kernel, pid);
      kernel.exit(parent, reason);
      expect([await end, server.log]).toEqual([reason, [["terminate", reason]]]);
    }
  });

  test("B-055: a handler that throws: terminate with the error, then a crash report", async () => {
    const { kernel, reports } = reportingKernel();
    const server = new Scripted({
      act: () => {
        throw new Error("boom");
      },
    });
    const { ref } = await startedServer(kernel, server, { name: "fragile" });
    await expect(ref.call("act", [])).rejects.toMatchObject({ code: "exited" });
    expect(server.log).toMatchObject([["terminate", { type: "error" }]]);
    expect(reports).toMatchObject([
      {
        event: "crash",
        name: "fragile",
        during: "call act/0",
        reason: { error: { message: "boom" } },
        server: "Scripted",
        state: { log: expect.any(Array) },
      },
    ]);
  });

  test("B-057: a server without terminate stops with the reason, and nothing is logged", async () => {
    class Bare extends GenServer {}
    const { kernel, reports } = reportingKernel();
    const { pid } = await startedServer(kernel, new Bare());
    const end = endOf(kernel, pid);
    await stopGenServer(kernel, pid);
    expect([await end, reports]).toEqual([normal, []]);
  });

  test("B-079: what terminate throws becomes the reason, and is reported", async () => {
    class Failing extends GenServer {
      fail(): void {
        throw new Error("first");
      }
      override terminate(): void {
        throw new Error("second");
      }
    }
    const { kernel, reports } = reportingKernel();
    const { pid, ref } = await startedServer(kernel, new Failing());
    const end = endOf(kernel, pid);
    await ref.call("fail", []).catch(() => {});
    expect(await end).toMatchObject({ error: { message: "second" } });
    expect(reports).toMatchObject([{ event: "crash", reason: { error: { message: "second" } } }]);
  });

  test("B-085: which messages a process takes can change while it runs: receive selects", async () => {
    const { kernel } = reportingKernel();
    const seen: unknown[] = [];
    const done = Promise.withResolvers<void>();
    const pid = kernel.spawn(async (self) => {
      for (const wanted of ["a", "b", "a"]) {
        const message = await self.receive(
          (each) => each.type === "info" && each.message === wanted,
        );
        seen.push(message.type === "info" && message.message);
      }
      done.resolve();
    });
    for (const message of ["b", "a", "a"]) kernel.send(pid, message);
    await done.promise;
    expect(seen).toEqual(["a", "b", "a"]);
  });
});

describe("system requests", () => {
  class Counter extends GenServer {
    count = 0;
    label = "plain";
    add(amount: number): number {
      this.count += amount;
      return this.count;
    }
  }

  test("B4.7: the state can be seen and replaced; a change that throws is none", async () => {
    const { kernel } = reportingKernel();
    const { pid, ref } = await startedServer(kernel, new Counter());
    await ref.call("add", [2]);
    expect(await getState(kernel, pid)).toEqual({ count: 2, label: "plain" });
    await replaceState(kernel, pid, (state) => ({ ...state, count: 10 }));
    await expect(
      replaceState(kernel, pid, () => {
        throw new Error("no");
      }),
    ).rejects.toThrow(/no/);
    expect(await ref.call("add", [1])).toBe(11);
  });

  test("a suspended server lets messages wait, and answers system requests", async () => {
    const { kernel } = reportingKernel();
    const { pid, ref } = await startedServer(kernel, new Counter());
    await suspend(kernel, pid);
    const waiting = ref.call("add", [5]);
    expect(await getStatus(kernel, pid)).toMatchObject({ status: "suspended", server: "Counter" });
    expect(await getState(kernel, pid)).toMatchObject({ count: 0 });
    await resume(kernel, pid);
    expect(await waiting).toBe(5);
  });

  test("a suspended server still ends with its parent", async () => {
    const { kernel } = reportingKernel();
    const parent = kernel.spawn({ handle: () => {} });
    const { pid, server } = await startedServer(kernel, new Scripted(), { link: parent });
    await suspend(kernel, pid);
    const end = endOf(kernel, pid);
    kernel.exit(parent, shutdown);
    expect([await end, server.log]).toEqual([shutdown, [["terminate", shutdown]]]);
  });

  test("a suspended server can be stopped", async () => {
    const { kernel } = reportingKernel();
    const { pid, server } = await startedServer(kernel, new Scripted());
    await suspend(kernel, pid);
    await stopGenServer(kernel, pid, { reason: shutdown });
    expect(server.log).toEqual([["terminate", shutdown]]);
  });

  test("new code takes the state over; what it cannot take over leaves the old", async () => {
    class Doubling extends GenServer {
      static override readonly version = "2";
      #count = 0;
      add(amount: number): number {
        this.#count += 2 * amount;
        return this.#count;
      }
      override codeChange(oldVersion: string, state: unknown, extra: unknown): void {
        if (extra === "refuse") throw new Error(`not from version ${oldVersion}`);
        this.#count = (state as { count: number }).count;
      }
    }
    const { kernel } = reportingKernel();
    const { pid, ref } = await startedServer(kernel, new Counter(), { name: "counter" });
    await ref.call("add", [1]);
    const refused = changeCode(kernel, pid, new Doubling(), { extra: "refuse" });
    await expect(refused).rejects.toThrow(/not from version 1/);
    expect(await ref.call("add", [1])).toBe(2);
    await changeCode(kernel, pid, new Doubling());
    expect(await ref.call("add", [1])).toBe(4);
    expect(kernel.whereis("counter")).toEqual(pid);
  });

  test("B-073: formatStatus is what status and crash reports show; when it fails they say so", async () => {
    class Secretive extends GenServer {
      password = "secret";
      fails = false;
      breakIt(): void {
        this.fails = true;
      }
      boom(): void {
        throw new Error("boom");
      }
      override formatStatus(): unknown {
        if (this.fails) throw new Error("not today");
        return { password: "hidden" };
      }
    }
    const { kernel, reports } = reportingKernel();
    const { pid, ref } = await startedServer(kernel, new Secretive());
    expect(await getStatus(kernel, pid)).toMatchObject({ state: { password: "hidden" } });
    await ref.call("breakIt", []);
    await ref.call("boom", []).catch(() => {});
    expect(reports[0]).toMatchObject({ state: "the state cannot be shown: not today" });
  });

  test("cannot be made by a copy: what comes from outside is a function there is not", async () => {
    const { kernel } = reportingKernel();
    const { pid } = await startedServer(kernel, new Counter());
    const forged = kernel.call(pid, "$system", [{ request: { type: "stop", reason: normal } }]);
    await expect(forged).rejects.toMatchObject({ code: "unknown_function" });
    expect(kernel.isAlive(pid)).toBe(true);
  });
});

test("arguments and results are inferred from the class", () => {
  class Stack extends GenServer {
    push(item: string, times?: number): void {
      void [item, times];
    }
    async pop(): Promise<string> {
      return "";
    }
    _hidden(): void {}
    override handleInfo(): void {}
  }
  const { kernel } = reportingKernel();
  const stack = new ServerRef<Stack>(kernel, "stack");
  expectTypeOf<Callable<Stack>["pop"]>().toEqualTypeOf<() => string>();
  expectTypeOf<Parameters<Callable<Stack>["push"]>>().toEqualTypeOf<Parameters<Stack["push"]>>();
  expectTypeOf<keyof Callable<Stack>>().toEqualTypeOf<"push" | "pop">();
  const popped = (): Promise<string> => stack.call("pop", []);
  expect(popped).toBeTypeOf("function");
  const wrong = (): void => {
    // @ts-expect-error push takes a string
    void stack.call("push", [1]);
    // @ts-expect-error push takes arguments
    stack.cast("push", []);
    // @ts-expect-error there is no such function
    void stack.call("peek", []);
    // @ts-expect-error a callback is not called from outside
    void stack.call("handleInfo", []);
    // @ts-expect-error what starts with _ is the server's own
    void stack.call("_hidden", []);
  };
  expect(wrong).toBeTypeOf("function");
});
