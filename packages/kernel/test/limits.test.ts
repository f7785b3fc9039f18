import { messageBytesMax } from "@coppice/kernel";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endOf, eventLogger, kernelOf, leftovers, puppet, settled } from "./nodes.ts";

describe("a full mailbox", () => {
  test("refuses what is sent, says so to the sender, and logs the first", async () => {
    const logger = eventLogger();
    const kernel = kernelOf("a", logger);
    const gate = Promise.withResolvers<void>();
    const pid = kernel.spawn({ handle: () => gate.promise }, { mailboxCapacity: 2 });
    kernel.send(pid, "runs");
    await settled(kernel);
    const sent = [1, 2, 3, 4].map((each) => kernel.send(pid, each));
    expect(sent).toEqual(["queued", "queued", "overloaded", "overloaded"]);
    expect(kernel.cast(pid, "x", [])).toBe("overloaded");
    expect(kernel.info(pid)).toMatchObject({ mailbox: 2, refused: 3 });
    expect(logger.events).toEqual(["overloaded"]);
    gate.resolve();
  });

  test("still takes exit signals and downs: a supervisor must not miss one", async () => {
    const kernel = kernelOf("a");
    const watcher = puppet(kernel, { mailboxCapacity: 1, trapExit: true });
    const ends = [1, 2, 3].map(() => watcher.self.spawnLink(() => {}));
    for (const pid of ends) watcher.self.monitor(pid);
    await settled(kernel);
    expect(watcher.inbox.length).toBe(6);
  });
});

describe("messages", () => {
  test("are copies: neither side sees what the other does to its own", async () => {
    const kernel = kernelOf("a");
    const held: { list: number[] } = { list: [1] };
    const server = kernel.spawn({
      handle: (message) => {
        if (message.type === "call") message.reply({ ok: true, value: held });
      },
    });
    const got = (await kernel.call(server, "get", [])) as { list: number[] };
    got.list.push(2);
    expect(held).toEqual({ list: [1] });
    const target = puppet(kernel);
    const message = { items: new Map([["a", new Set([1])]]), bytes: new Uint8Array([1, 2]) };
    kernel.send(target.pid, message);
    message.items.clear();
    message.bytes[0] = 9;
    expect(await target.next()).toEqual({
      type: "info",
      message: { items: new Map([["a", new Set([1])]]), bytes: new Uint8Array([1, 2]) },
    });
  });

  test("any plain value arrives as it was sent", async () => {
    const kernel = kernelOf("a");
    const echo = kernel.spawn({
      handle: (message) => {
        if (message.type === "call") message.reply({ ok: true, value: message.args[0] });
      },
    });
    const plain = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.oneof(
          fc.string(),
          fc.integer(),
          fc.double(),
          fc.boolean(),
          fc.bigInt(),
          fc.constant(null),
          fc.constant(undefined),
          fc.uint8Array(),
          fc.date(),
        ),
        fc.array(tie("value")),
        fc.dictionary(
          fc.string().filter((key) => key !== "__proto__"),
          tie("value"),
          { noNullPrototype: true },
        ),
        fc.array(fc.tuple(fc.string(), tie("value"))).map((entries) => new Map(entries)),
      ),
    })).value;
    await fc.assert(
      fc.asyncProperty(plain, async (value) => {
        expect(await kernel.call(echo, "echo", [value])).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  const cycle: Record<string, unknown> = {};
  cycle["self"] = { cycle };
  class Point {
    x = 1;
  }
  test.for<readonly [string, unknown, RegExp]>([
    ["a function", { f: () => 1 }, /message\.f is a function/],
    ["a symbol", [Symbol("s")], /message\[0\] is a symbol/],
    ["a class instance", { deep: [new Point()] }, /message\.deep\[0\] is an instance of Point/],
    ["an error", new Error("e"), /message is an instance of Error/],
    ["a cycle", cycle, /message\.self\.cycle.* is nested deeper than 64 levels or a cycle/],
    [
      "a promise",
      new Map([[1, Promise.resolve()]]),
      /message\.value\(0\) is an instance of Promise/,
    ],
    ["a reserved key", JSON.parse('{"__proto__": 1}'), /message\.__proto__ is a reserved name/],
    ["a string of 1 GB", "\u20ac".repeat(2 ** 28), /holds more than \d+ bytes/],
    ["many large strings", Array(2_000).fill("x".repeat(2 ** 16)), /holds more than \d+ bytes/],
  ])("that hold %s are refused, and the receiver never notices", async ([, value, says]) => {
    const kernel = kernelOf("a");
    const target = puppet(kernel);
    expect(() => kernel.send(target.pid, value)).toThrow(says);
    expect(() => kernel.cast(target.pid, "x", [value])).toThrow();
    await expect(kernel.call(target.pid, "x", [value])).rejects.toThrow();
    await settled(kernel);
    expect(target.inbox).toEqual([]);
    expect(kernel.pending.calls).toBe(0);
  });

  test("up to the limit pass", () => {
    const kernel = kernelOf("a");
    expect(kernel.send(puppet(kernel).pid, "x".repeat(messageBytesMax))).toBe("queued");
  });
});

describe("what is known about a process", () => {
  test("its mailbox, what it handles, its ties, and what it says about itself", async () => {
    const kernel = kernelOf("a");
    const gate = Promise.withResolvers<void>();
    const pid = kernel.spawn({ handle: () => gate.promise }, { name: "busy", kind: "test" });
    kernel.call(pid, "work", [1], { timeoutMs: Infinity }).catch(() => {});
    await settled(kernel);
    for (let count = 0; count < 100; count += 1) kernel.send(pid, "x".repeat(1_000));
    const other = puppet(kernel);
    other.self.link(pid);
    other.self.monitor(pid);
    other.self.label("shard", 7);
    const info = kernel.info(pid)!;
    expect(info).toMatchObject({
      name: "busy",
      kind: "test",
      status: "running",
      current: "call work/1",
      mailbox: 100,
      links: [other.pid],
      watchers: 1,
      handled: 0,
    });
    expect(info.memoryBytes).toBeGreaterThan(100_000);
    expect(kernel.info(other.pid)).toMatchObject({ labels: { shard: 7 }, monitors: 1 });
    gate.resolve();
    kernel.exit(pid, { type: "kill" });
  });
});

describe("nothing is left", () => {
  test("after 100,000 processes that crash", async () => {
    const kernel = kernelOf("a");
    const watcher = puppet(kernel, { mailboxCapacity: Infinity, trapExit: true });
    const reason = { type: "exit", value: "boom" } as const;
    for (let count = 0; count < 100_000; count += 1) {
      const { pid } = watcher.self.spawnMonitor((self) => self.exit(reason));
      if (count % 1_000 === 0) await endOf(kernel, pid);
    }
    await settled(kernel);
    expect(watcher.inbox.length).toBe(100_000);
    expect(kernel.info(watcher.pid)).toMatchObject({ monitors: 0, links: [] });
    watcher.self.exit({ type: "normal" });
    expect(Object.values(leftovers(kernel))).toEqual([0, 0, 0, 0, 0]);
  });

  test("after calls that time out, end with their callee, or are answered late", async () => {
    const kernel = kernelOf("a");
    const froms: unknown[] = [];
    const pid = kernel.spawn({
      handle: (message) => {
        if (message.type === "call") froms.push(message.defer());
      },
    });
    await expect(kernel.call(pid, "x", [], { timeoutMs: 1 })).rejects.toMatchObject({
      code: "timeout",
    });
    kernel.reply(froms[0] as never, { ok: true, value: "late" });
    const waiting = kernel.call(pid, "x", []);
    await settled(kernel);
    kernel.exit(pid, { type: "shutdown" });
    await expect(waiting).rejects.toMatchObject({ code: "exited", executed: "maybe" });
    expect(Object.values(leftovers(kernel))).toEqual([0, 0, 0, 0, 0]);
  });
});
