import { type ClusterNode, NodeNameTakenError } from "@coppice/cluster";
import { systemClock } from "@coppice/kernel";
import { decode, encode } from "@coppice/net";
import { describe, expect, test } from "vitest";
import { lingerMs } from "../src/singleton.ts";
import { counterTree, memoryCluster } from "./cluster.ts";

/** Three nodes that all have the counter among their children; `a` owns it. */
async function three() {
  const cluster = memoryCluster();
  const a = await cluster.start("a");
  await a.start(counterTree);
  const b = await cluster.start("b");
  await b.start(counterTree);
  const c = await cluster.start("c");
  await c.start(counterTree);
  return { ...cluster, a, b, c };
}

/** Asks until it is answered: a call on its way to a node that ends may have run, and is not sent again by itself. */
async function whereNow(node: ClusterNode): Promise<unknown> {
  while (true) {
    try {
      return await node.call("counter", "where", []);
    } catch (thrown) {
      expect(thrown).toMatchObject({ executed: "maybe" });
    }
  }
}

describe("a name", () => {
  test("is owned by one node and called from all", async () => {
    const { a, b, c } = await three();
    for (const node of [a, b, c]) expect(await node.call("counter", "where", [])).toBe("a");
    expect(await b.call("counter", "add", [1])).toBe(1);
    expect(await c.call("counter", "add", [1])).toBe(2);
    expect(b.names()).toMatchObject([{ name: "counter", owner: { node: "a" } }]);
  });

  test("that is called and fails says in the error's stack whose call it was", async () => {
    const { b } = await three();
    const failed = b.call("counter", "crash", []).catch((thrown: Error) => thrown.stack);
    expect(await failed).toContain("cluster.test.ts");
    expect(await b.call("nobody", "x", []).catch((thrown: Error) => thrown.stack)).toContain(
      "cluster.test.ts",
    );
  });

  test("is never given up while its process crashes again and again", async () => {
    const { start } = memoryCluster();
    const [a, b] = [await start("a"), await start("b")];
    await a.start({ ...counterTree, maxRestarts: 1_000_000 });
    await expect.poll(() => b.names().length).toBe(1);
    const untilMs = systemClock.now() + lingerMs + 300; // Longer than a name outlives its process.
    while (systemClock.now() < untilMs) {
      await expect(a.call("counter", "crash", [])).rejects.toMatchObject({ code: "exited" });
      expect(b.names()).toMatchObject([{ name: "counter", owner: { node: "a" } }]);
    }
  });

  test("stays on its node over a crash, with a larger epoch", async () => {
    const { b } = await three();
    await b.call("counter", "add", [5]);
    const before = b.names()[0]!.epoch;
    await expect(b.call("counter", "crash", [])).rejects.toMatchObject({ code: "exited" });
    expect(await b.call("counter", "add", [1])).toBe(1);
    expect(await b.call("counter", "where", [])).toBe("a");
    expect(b.names()[0]!.epoch).toBeGreaterThan(before);
  });

  test("is taken over when its node stops, and calls wait for that", async () => {
    const { a, b } = await three();
    const stopped = a.stop();
    await expect.poll(() => b.call("counter", "where", [])).not.toBe("a");
    await stopped;
  });

  test("is taken over when its node is gone; the old owner acts no more", async () => {
    const { a, b, c } = await three();
    const old = a.whereis("counter")!;
    a.cutOff();
    expect(await whereNow(b)).not.toBe("a");
    expect(await whereNow(c)).not.toBe("a");
    await expect(a.kernel.call(old, "add", [1])).rejects.toMatchObject({ executed: "no" });
  });

  test("that changed hands while its owner was cut off is not run twice when the owner is back", async () => {
    const { a, b } = await three();
    const ended = new Promise((resolve) => a.kernel.monitor(a.whereis("counter")!, resolve));
    a.cutOff();
    const owner = await whereNow(b);
    a.reconnect();
    expect(await whereNow(a)).toBe(owner);
    expect(await ended).toEqual({ type: "killed" });
  });

  test("that nobody holds is an error at once", async () => {
    const { a } = await three();
    await expect(a.call("nobody", "x", [])).rejects.toThrow(/no process is named nobody/);
  });

  test("keeps every supervisor's restart limit: the fourth crash ends the room's supervisor", async () => {
    const { a, b } = await three();
    for (let crash = 0; crash < 4; crash += 1) await b.call("counter", "crash", []).catch(() => {});
    expect(await b.call("counter", "where", [])).not.toBe("a");
    expect(a.logs.filter(({ event }) => event === "supervisor_shutdown")).toHaveLength(1);
  });
});

describe("between nodes", () => {
  test("values keep their types, and a function is refused to both sides", async () => {
    const { b } = await three();
    const value = await b.call("counter", "list", []);
    expect(value).toEqual([new Map([["a", 1n]]), new Set([1]), b.whereis("counter")]);
    await expect(b.call("counter", "add", [() => 1])).rejects.toThrow(/is a function/);
    await expect(b.call("counter", "leak", [])).rejects.toThrow(/is a function/);
  });

  test("M1: a monitor fires when the node of its process is gone", async () => {
    const { a, b } = await three();
    const pid = b.whereis("counter")!;
    const down = new Promise((resolve) => b.kernel.monitor(pid, resolve));
    await b.call("counter", "where", []);
    a.cutOff();
    expect(await down).toEqual({ type: "noconnection" });
  });

  test("a broadcast reaches the subscribers of every node once, in order", async () => {
    const { a, b } = await three();
    const got: unknown[][] = [[], []];
    const done = Promise.withResolvers<void>();
    for (const [index, node] of [a, b].entries()) {
      const pid = node.kernel.spawn({
        handle: (message) => {
          if (message.type === "info") got[index]!.push(message.message);
          if (got.flat().length === 4) done.resolve();
        },
      });
      node.pubsub.subscribe("chat.room", pid);
    }
    a.pubsub.broadcast("chat.room", "one");
    a.pubsub.broadcast("chat.room", { two: 2 });
    await done.promise;
    expect(got).toEqual([
      ["one", { two: 2 }],
      ["one", { two: 2 }],
    ]);
  });

  test("a subscriber that ended leaves nothing behind", async () => {
    const { a } = await three();
    const pid = a.kernel.spawn({ handle: () => {} });
    a.pubsub.subscribe("chat", pid);
    expect(a.pubsub.size).toBe(1);
    a.kernel.exit(pid, { type: "shutdown" });
    expect(a.pubsub.size).toBe(0);
  });

  test("a second node of the same name is refused while the first runs", async () => {
    const { start } = await three();
    await expect(start("a")).rejects.toThrow(NodeNameTakenError);
  });
});

describe("clients that are no nodes", () => {
  const ask = async (cluster: Awaited<ReturnType<typeof three>>, subject: string, body: string) => {
    const data = new TextEncoder().encode(body);
    const { data: answer } = await cluster.transport.request(subject, data, { timeoutMs: 5_000 });
    return JSON.parse(new TextDecoder().decode(answer)) as unknown;
  };

  test("the open door answers JSON, for a value as for an error", async () => {
    const cluster = await three();
    const door = "coppice.v1.test.call";
    expect(await ask(cluster, `${door}.counter.add`, "[2]")).toBe(2);
    expect(await ask(cluster, `${door}.counter.list`, "")).toEqual([
      [["a", 1]],
      [1],
      cluster.a.whereis("counter")!.toString(),
    ]);
    for (const [subject, body, code, message] of [
      ["counter.add", "{", "bad_argument", /not JSON/],
      ["counter.add", '{"a":1}', "bad_argument", /must be a JSON array/],
      ["nobody.add", "[]", "noproc", /no process is named nobody/],
      ["counter.shout", "[]", "unknown_function", /no function shout; it has add, where/],
      ["counter", "[]", "bad_argument", /must end in call\.<name>\.<function>/],
    ] as const) {
      const answer = await ask(cluster, `${door}.${subject}`, body);
      expect(answer).toMatchObject({ error: { code, message: expect.stringMatching(message) } });
    }
  });

  test("any node tells the nodes, the names and its processes", async () => {
    const { transport, a } = await three();
    const admin = async (subject: string, request: unknown): Promise<unknown> => {
      const reply = await transport.request(subject, encode(request), { timeoutMs: 5_000 });
      return decode(reply.data);
    };
    expect(await admin("coppice.v1.test.admin", { type: "hello" })).toMatchObject({ ok: true });
    const nodes = await admin("coppice.v1.test.admin.c", { type: "nodes" });
    expect(nodes).toMatchObject({ ok: true, value: [{ name: "a" }, { name: "b" }, { name: "c" }] });
    const names = await admin("coppice.v1.test.admin.b", { type: "names" });
    expect(names).toMatchObject({
      value: [{ name: "counter", node: "a", epoch: a.names()[0]!.epoch }],
    });
    const ps = await admin("coppice.v1.test.admin.b", { type: "ps" });
    expect(ps).toMatchObject({
      value: [
        { name: "app", kind: "supervisor", node: "b" },
        { name: "counter", kind: "singleton", details: { state: "standby", owner: "a" } },
      ],
    });
    const killed = await admin("coppice.v1.test.admin.c", { type: "kill", name: "counter" });
    expect(killed).toMatchObject({ ok: true });
    expect(await a.call("counter", "add", [1])).toBe(1);
  });
});

test("a stopped cluster leaves no process, no call and no monitor behind", async () => {
  const { a, b, c } = await three();
  await b.call("counter", "add", [1]);
  for (const node of [c, b, a]) await node.stop();
  for (const node of [a, b, c]) {
    expect(node.kernel.processes()).toEqual([]);
    expect(Object.values(node.kernel.pending).every((count) => count === 0)).toBe(true);
  }
  expect(systemClock.now()).toBeGreaterThan(0);
});
