import { CallError, type From, shutdown } from "@coppice/kernel";
import { GenServer, request, RequestCollection, ServerRef } from "@coppice/otp";
import { simulatedClock } from "@coppice/testkit";
import { describe, expect, test } from "vitest";
import { endOf, reportingKernel, startedServer } from "./servers.ts";

class Desk extends GenServer {
  static override readonly trapExit = true;
  readonly log: unknown[] = [];
  waiting: From | undefined;
  echo(value: unknown): unknown {
    this.log.push(value);
    return value;
  }
  note(value: unknown): void {
    this.log.push(value);
  }
  async slow(gate: string): Promise<string> {
    this.log.push(gate);
    await Promise.resolve();
    return gate;
  }
  hang(): void {
    this.waiting = this.self.deferReply();
  }
  letGo(value: unknown): void {
    if (this.waiting !== undefined) this.self.reply(this.waiting, value);
  }
  delegate(): From {
    this.waiting = this.self.deferReply();
    return this.waiting;
  }
  boom(): void {
    throw new Error("boom");
  }
  unplain(): unknown {
    return () => 1;
  }
  leave(): string {
    this.self.stop();
    return "bye";
  }
  shutDown(): void {
    this.self.deferReply();
    this.self.stop(shutdown);
  }
  async callMyself(): Promise<unknown> {
    return this.self.call(this.self.pid, "echo", [1]).catch(({ code }: CallError) => code);
  }
  override terminate(reason: unknown): void {
    this.log.push(["terminate", reason]);
  }
}

describe("calls", () => {
  test("B-001: without a timeout of its own a call waits 5,000 ms", async () => {
    const clock = simulatedClock();
    const { kernel } = reportingKernel(clock);
    const starting = startedServer(kernel, new Desk());
    await clock.advance(0);
    const { ref } = await starting;
    const call = ref.call("hang", []);
    const outcome = call.catch((thrown: CallError) => thrown);
    await clock.advance(4_999);
    expect(kernel.pending.calls).toBe(1);
    await clock.advance(21); // Deadlines share a timer: up to two ticks of 10 ms late.
    expect(await outcome).toMatchObject({ code: "timeout", executed: "maybe" });
    expect((await outcome) as Error).toHaveProperty("message", expect.stringContaining("5000 ms"));
  });

  test("B-003: a call with a timeout says so, and what was called", async () => {
    const { kernel } = reportingKernel();
    const { ref } = await startedServer(kernel, new Desk(), { name: "desk" });
    const byName = new ServerRef<Desk>(kernel, "desk");
    await expect(byName.call("hang", [], { timeoutMs: 1 })).rejects.toThrow(
      /desk\.hang: no answer within 1 ms/,
    );
    await expect(ref.call("hang", [], { timeoutMs: -1 })).rejects.toThrow(RangeError);
    await expect(ref.call("hang", [], { timeoutMs: Number.NaN })).rejects.toThrow(RangeError);
  });

  test("B-007: a server that throws while it handles a call fails the caller with the error", async () => {
    const { kernel } = reportingKernel();
    const { ref } = await startedServer(kernel, new Desk());
    await expect(ref.call("boom", [])).rejects.toMatchObject({
      code: "exited",
      executed: "maybe",
      reason: { type: "error", error: { message: "boom" } },
    });
  });

  test("B-009: a server that stops with a reply terminates first, then answers, then exits", async () => {
    const { kernel, reports } = reportingKernel();
    const { ref, server, pid } = await startedServer(kernel, new Desk());
    const order: unknown[] = [];
    const end = endOf(kernel, pid).then((reason) => order.push(reason.type));
    expect(await ref.call("leave", [])).toBe("bye");
    order.push("answered");
    await end;
    expect(server.log).toEqual([["terminate", { type: "normal" }]]);
    expect(order).toContain("normal");
    expect(reports).toEqual([]);
  });

  test("B-011: a server that stops with shutdown and no reply fails the caller so, and logs nothing", async () => {
    const { kernel, reports } = reportingKernel();
    const { ref } = await startedServer(kernel, new Desk());
    const call = ref.call("shutDown", []);
    await expect(call).rejects.toMatchObject({ code: "exited", reason: { type: "shutdown" } });
    expect(reports).toEqual([]);
  });

  test("B-013: a call that times out does not touch the server", async () => {
    const { kernel } = reportingKernel();
    const { ref, server } = await startedServer(kernel, new Desk());
    await expect(ref.call("hang", [], { timeoutMs: 1 })).rejects.toMatchObject({ code: "timeout" });
    expect(await ref.call("echo", [1])).toBe(1);
    await ref.call("letGo", ["late"]); // B2.6: dropped.
    expect(server.log).toEqual([1]);
  });

  test("B-015: a result that is no plain data ends the server, and the caller is told", async () => {
    const { kernel, reports } = reportingKernel();
    const { ref, pid } = await startedServer(kernel, new Desk());
    await expect(ref.call("unplain", [])).rejects.toThrow(/what unplain returned is a function/);
    expect(kernel.isAlive(pid)).toBe(false);
    expect(reports).toMatchObject([
      { event: "crash", reason: { error: { code: "not_plain_data" } } },
    ]);
  });

  test("B-017: another process answers a deferred call", async () => {
    const { kernel } = reportingKernel();
    const { ref, server } = await startedServer(kernel, new Desk());
    const answer = ref.call("hang", []);
    await ref.call("echo", ["handled"]);
    kernel.spawn((self) => self.kernel.reply(server.waiting!, { ok: true, value: "from outside" }));
    expect(await answer).toBe("from outside");
    kernel.reply(server.waiting!, { ok: true, value: "again" }); // Only the first counts.
    expect(kernel.pending.calls).toBe(0);
  });

  test("B2.3: a call to nobody, and a call to itself, did not run", async () => {
    const { kernel } = reportingKernel();
    const { ref } = await startedServer(kernel, new Desk());
    const nobody = new ServerRef<Desk>(kernel, "nobody");
    await expect(nobody.call("echo", [1])).rejects.toMatchObject({
      code: "noproc",
      executed: "no",
    });
    expect(await ref.call("callMyself", [])).toBe("calling_self");
  });

  test("B-023: a call of a function there is not is the caller's fault: the server goes on", async () => {
    const { kernel } = reportingKernel();
    const { ref, pid } = await startedServer(kernel, new Desk());
    const call = kernel.call(pid, "nothing", []);
    await expect(call).rejects.toMatchObject({ code: "unknown_function", executed: "no" });
    await expect(call).rejects.toThrow(/Desk has no function nothing; it has echo, note/);
    expect(await ref.call("echo", [1])).toBe(1);
  });
});

describe("a server that calls others", () => {
  class Asking extends GenServer {
    runs = 0;
    async ask(): Promise<unknown> {
      this.runs += 1;
      return this.self.call("nobody", "answer", []);
    }
    refuse(): void {
      throw new CallError({ code: "denied", executed: "no", message: "not today" });
    }
  }

  test("crashes with the failure of its own call, which its caller must not take for its own", async () => {
    const { kernel, reports } = reportingKernel();
    const { ref, server } = await startedServer(kernel, new Asking());
    await expect(ref.call("refuse", [])).rejects.toMatchObject({ code: "denied", executed: "no" });
    await expect(ref.call("ask", [])).rejects.toMatchObject({ code: "exited", executed: "maybe" });
    expect(server.runs).toBe(1);
    expect(reports).toMatchObject([{ event: "crash", reason: { error: { code: "noproc" } } }]);
  });

  test("has no effect any more once it has ended", async () => {
    const { kernel } = reportingKernel();
    const { pid, server } = await startedServer(kernel, new Asking());
    kernel.exit(pid, shutdown);
    const { self } = server;
    await expect(self.call("nobody", "x", [])).rejects.toMatchObject({ code: "exit" });
    expect(() => self.spawn(() => {})).toThrow(/exit/);
    expect(() => self.spawnLink(() => {})).toThrow(/exit/);
    self.sendAfter(1, "late");
    expect([self.send(pid, 1), kernel.processCount, kernel.pending.timers]).toEqual([
      "noproc",
      0,
      0,
    ]);
  });
});

describe("casts and messages", () => {
  test("B-019: a cast to nobody is no error", () => {
    const { kernel } = reportingKernel();
    const dead = kernel.spawn(() => {});
    kernel.exit(dead, shutdown);
    expect([kernel.cast("nobody", "x", []), kernel.cast(dead, "x", [])]).toEqual([
      "noproc",
      "noproc",
    ]);
  });

  test("B-021: casts and a call of one client are handled in sending order", async () => {
    const { kernel } = reportingKernel();
    const { ref, server } = await startedServer(kernel, new Desk());
    ref.cast("note", [1]);
    ref.cast("slow", ["2"]);
    await ref.call("echo", [3]);
    expect(server.log).toEqual([1, "2", 3]);
  });

  test("B-025: a message without a handler is logged, and the server goes on", async () => {
    const { kernel, reports } = reportingKernel();
    const { ref, pid } = await startedServer(kernel, new Desk());
    kernel.send(pid, "hello");
    kernel.cast(pid, "nothing", []);
    expect(await ref.call("echo", [1])).toBe(1);
    expect(reports).toMatchObject([
      { event: "unexpected_message", server: "Desk", what: "info" },
      { event: "unexpected_message", what: "cast nothing" },
    ]);
  });

  test("B-083: a message of a type the server does not know is handleInfo's own to judge", async () => {
    class Choosy extends GenServer {
      readonly kept: unknown[] = [];
      seen(): unknown {
        return this.kept;
      }
      override handleInfo(message: unknown): void {
        if (typeof message === "string") this.kept.push(message);
      }
    }
    const { kernel } = reportingKernel();
    const { ref, pid } = await startedServer(kernel, new Choosy());
    for (const message of [1, "text", null, { x: 1 }]) kernel.send(pid, message);
    expect(await ref.call("seen", [])).toEqual(["text"]);
  });
});

describe("requests", () => {
  test("B-067: a request to nobody is an error response", async () => {
    const { kernel } = reportingKernel();
    const response = await request(kernel, "nobody", "echo", [1]).receive(1_000);
    expect(response).toMatchObject({ type: "error", error: { code: "noproc" } });
  });

  test("B-069: a wait that ends too early keeps the request", async () => {
    const { kernel } = reportingKernel();
    const { ref } = await startedServer(kernel, new Desk());
    const pending = ref.request("hang", []);
    expect(await pending.wait(1)).toBeUndefined();
    await ref.call("letGo", ["now"]);
    expect(await pending.wait(1_000)).toEqual({ type: "reply", value: "now" });
    const abandoned = ref.request("hang", []);
    expect(await abandoned.receive(1)).toBeUndefined();
    await ref.call("letGo", ["too late"]);
    expect(await abandoned.wait(1_000)).toBeUndefined();
  });

  test("B-071: a collection hands out each response once, with its label", async () => {
    const { kernel } = reportingKernel();
    const { ref } = await startedServer(kernel, new Desk());
    const collection = new RequestCollection<string>(kernel);
    expect(await collection.next(1)).toBe("no_request");
    for (const label of ["a", "b", "c"]) collection.add(label, ref.request("echo", [label]));
    const seen: unknown[] = [];
    while (collection.size > 0) seen.push(await collection.next(1_000));
    expect(seen).toEqual(
      ["a", "b", "c"].map((label) => ({ label, response: { type: "reply", value: label } })),
    );
    expect(await collection.next(1)).toBe("no_request");
  });
});
