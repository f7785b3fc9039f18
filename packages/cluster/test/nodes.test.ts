import { type NodeDeposedError, NodeEvent } from "@coppice/cluster";
import type { SimulatedClock } from "@coppice/testkit";
import { describe, expect, test } from "vitest";
import { listen, simulatedCluster } from "./simulated.ts";

describe("nodes", () => {
  test("are listed with labels, weight and load", async () => {
    const { start, advance } = simulatedCluster();
    const a = await start("a", { labels: { zone: "north" }, weight: 2 });
    const b = await start("b");
    await advance(1_500);
    expect(a.nodes()).toEqual(["b"]);
    for (const node of [a, b])
      expect(node.nodeInfo()).toMatchObject([
        { node: "a", status: "up", traits: { labels: { zone: "north" }, weight: 2 } },
        { node: "b", traits: { labels: {}, weight: 1, draining: false, load: { names: 0 } } },
      ]);
  });

  test("A-067: nodeup once it is listed; nodedown after it is not and its monitors fired, before the next nodeup", async () => {
    const { start, advance, until } = simulatedCluster();
    const a = await start("a");
    const seen: unknown[] = [];
    const watcher = a.kernel.spawn({
      handle: (message) => {
        if (message.type === "down") seen.push(["down", message.reason.type]);
        if (message.type === "info")
          seen.push([(message.message as NodeEvent).type, a.nodes().includes("b")]);
      },
    });
    a.monitorNodes(watcher);
    const b = await start("b");
    await advance(500);
    a.kernel.side.monitor(watcher, listen(b).pid, {});
    await advance(10);
    b.crash();
    await until(() => seen.length === 3);
    await start("b");
    await advance(1_000);
    expect(seen).toEqual([
      ["nodeup", true],
      ["down", "noconnection"],
      ["nodedown", false],
      ["nodeup", true],
    ]);
  });

  test("A8.2: each subscription gets its own message; ending ends all of the process", async () => {
    const { start, advance } = simulatedCluster();
    const a = await start("a");
    const [twice, ended] = [listen(a), listen(a)];
    a.monitorNodes(twice.pid);
    a.monitorNodes(twice.pid);
    a.monitorNodes(ended.pid);
    a.monitorNodes(ended.pid, false);
    const b = await start("b");
    await advance(500);
    const up = new NodeEvent("nodeup", b.address);
    expect(twice.messages).toEqual([up, up]);
    expect(ended.messages).toEqual([]);
    const stopping = b.stop();
    await advance(1_000);
    await stopping;
    const down = new NodeEvent("nodedown", b.address, "left");
    expect(twice.messages).toEqual([up, up, down, down]);
  });

  test("M1: a node that is cut off sees noconnection for all others when its lease has run out", async () => {
    const { start, advance, until } = simulatedCluster();
    const a = await start("a");
    const b = await start("b");
    await advance(500);
    const target = listen(b);
    const reasons: string[] = [];
    a.kernel.monitor(target.pid, ({ type }) => void reasons.push(type));
    await advance(10);
    a.cutOff();
    expect(await until(() => reasons.length > 0)).toBeLessThanOrEqual(2_700);
    a.reconnect();
    await advance(3_000);
    a.kernel.monitor(target.pid, ({ type }) => void reasons.push(type));
    await advance(10);
    target.stop();
    await until(() => reasons.length > 1);
    expect(reasons).toEqual(["noconnection", "shutdown"]);
  });

  test("N2: messages and broadcasts of a life whose session is over are dropped, and that is said once", async () => {
    const { start, advance, run } = simulatedCluster();
    const [a, b] = [await start("a"), await start("b")];
    const receiver = listen(b);
    b.pubsub.subscribe("news", receiver.pid);
    const sender = listen(a);
    await run(a.register("sender", sender.pid));
    await advance(500);
    a.kernel.send(receiver.pid, "in time");
    a.pubsub.broadcast("news", "in time");
    await advance(10);
    a.fallBehind(5_000);
    a.kernel.send(receiver.pid, "late");
    a.pubsub.broadcast("news", "late");
    await advance(4_000);
    const successor = listen(b);
    await run(b.register("sender", successor.pid));
    await advance(5_000);
    expect(receiver.messages.filter((message) => typeof message === "string")).toEqual([
      "in time",
      "in time",
    ]);
    expect(b.logs.filter(({ event }) => event === "ended_life_refused")).toHaveLength(1);
  });

  test("M1: a node that was frozen beyond its lease ends, all its processes with it, and can be started anew", async () => {
    const { clock, start, advance, run, until } = simulatedCluster();
    const own = freezable(clock);
    const errors: NodeDeposedError[] = [];
    const onDeposed = (error: NodeDeposedError): void => void errors.push(error);
    const a = await start("a", { clock: own, onDeposed });
    const b = await start("b");
    const [owner, plain] = [listen(a), listen(a)];
    await run(a.register("name", owner.pid));
    await advance(500);
    const [here, there]: [unknown[], unknown[]] = [[], []];
    for (const { pid } of [owner, plain]) {
      a.kernel.monitor(pid, ({ type }) => here.push(type));
      b.kernel.monitor(pid, ({ type }) => there.push(type));
    }
    await advance(10);
    own.freeze();
    await advance(6_000);
    expect(there).toEqual(["noconnection", "noconnection"]);
    own.thaw();
    await until(() => errors.length === 1, 2_000);
    expect(errors[0]).toMatchObject({ code: "node_deposed", node: "a" });
    expect(here).toEqual(["noconnection", "noconnection"]);
    expect(a.kernel.processCount).toBe(0);
    const again = await start("a");
    await until(() => b.nodes().includes("a"));
    const life = b.nodeInfo().find(({ node }) => node === "a");
    expect(life?.incarnation).toBe(again.address.incarnation);
    expect(life?.incarnation).not.toBe(a.address.incarnation);
    await expect(run(b.call(plain.pid, "x", []))).rejects.toMatchObject({ executed: "no" });
    await run(again.register("name", listen(again).pid));
    await advance(10);
    expect(b.whereis("name")?.incarnation).toBe(again.address.incarnation);
  });
});

/** A clock whose timers stand still while it is frozen. */
function freezable(clock: SimulatedClock) {
  let isFrozen = false;
  const held: (() => void)[] = [];
  return {
    ...clock,
    after: (ms: number, run: () => void) =>
      clock.after(ms, () => {
        if (isFrozen) held.push(run);
        else run();
      }),
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
      for (const run of held.splice(0)) run();
    },
  };
}
