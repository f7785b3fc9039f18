import type { ClusterNode } from "@coppice/cluster";
import { GenServer } from "@coppice/otp";
import { simulatedCluster, type SimulatedCluster } from "@coppice/testkit";
import { describe, expect, test } from "vitest";

class Counter extends GenServer {
  #count = 0;
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
}

const onStart = (node: ClusterNode): Promise<unknown> =>
  node.start({
    strategy: "one_for_one",
    children: [{ id: "counter", name: "counter", start: [Counter] }],
  });

async function startCluster(seed = 1): Promise<SimulatedCluster> {
  const cluster = simulatedCluster({ seed, onStart });
  await cluster.start();
  return cluster;
}

const ownerOf = (cluster: SimulatedCluster, seenBy: string): string | undefined =>
  cluster.node(seenBy).whereis("counter")?.node;
const othersOf = (cluster: SimulatedCluster, name: string): string[] =>
  cluster.names.filter((each) => each !== name);

describe("a simulated cluster", () => {
  test("calls a named process from every node", async () => {
    const cluster = await startCluster();
    const counts: unknown[] = [];
    for (const name of cluster.names)
      counts.push(await cluster.run(cluster.node(name).call("counter", "add", [1])));
    expect(counts).toEqual([1, 2, 3]);
  });

  test("repeats itself for a seed, and not for another", async () => {
    const run = async (seed: number): Promise<string> => {
      const cluster = await startCluster(seed);
      cluster.kill("a");
      await cluster.advance(2_000);
      await cluster.restart("a");
      await cluster.advance(2_000);
      return cluster.traceHash;
    };
    const first = await run(5);
    expect(await run(5)).toBe(first);
    expect(await run(6)).not.toBe(first);
  });

  test("nothing of a killed node runs again", async () => {
    const cluster = await startCluster();
    const [victim = ""] = othersOf(cluster, ownerOf(cluster, "a")!);
    const node = cluster.node(victim);
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      node.clock.after(10, tick);
    };
    tick();
    await cluster.advance(100);
    let isAnswered = false;
    const note = (): void => {
      isAnswered = true;
    };
    node.call("counter", "add", [1], { timeoutMs: 500 }).then(note, note);
    cluster.kill(victim);
    const ticksBefore = ticks;
    await cluster.advance(5_000);
    expect([ticksBefore > 5, ticks, isAnswered]).toEqual([true, ticksBefore, false]);
    expect(() => cluster.node(victim)).toThrow("not running");
  });

  test("another node takes a killed node's name over, and a restarted one joins again", async () => {
    const cluster = await startCluster();
    const owner = ownerOf(cluster, "a")!;
    const [other = ""] = othersOf(cluster, owner);
    cluster.kill(owner);
    const tookMs = await cluster.eventually(
      () => ![owner, undefined].includes(ownerOf(cluster, other)),
    );
    expect(tookMs).toBeLessThan(1_000);
    await cluster.restart(owner);
    expect(cluster.node(owner).nodes()).toEqual(othersOf(cluster, owner));
    expect(await cluster.run(cluster.node(owner).call("counter", "add", [1]))).toBe(1);
  });

  test("a frozen node does nothing; thawed, it reads its messages before its timers run", async () => {
    const cluster = await startCluster();
    const node = cluster.node("b");
    const order: string[] = [];
    const pid = node.kernel.spawn({
      handle: (message) => void (message.type === "info" && order.push("message")),
    });
    await cluster.advance(10);
    cluster.freeze("b");
    node.clock.after(10, () => order.push("timer"));
    await cluster.advance(100);
    cluster.node("a").kernel.send(pid, "hello");
    await cluster.advance(300);
    expect(order).toEqual([]);
    cluster.thaw("b");
    await cluster.advance(50);
    expect(order).toEqual(["message", "timer"]);
  });

  test("an owner on the smaller side of a partition is replaced, and all agree once it has healed", async () => {
    const cluster = await startCluster();
    const owner = ownerOf(cluster, "a")!;
    const others = othersOf(cluster, owner);
    cluster.partition([owner], others);
    await cluster.eventually(() => ownerOf(cluster, others[0]!) !== owner, { withinMs: 6_000 });
    cluster.heal();
    await cluster.eventually(
      () => new Set(cluster.names.map((name) => ownerOf(cluster, name))).size === 1,
    );
    expect(ownerOf(cluster, owner)).not.toBe(owner);
    const writes = cluster.history.filter(({ type }) => type === "ownership");
    expect(writes.length).toBeGreaterThanOrEqual(2);
  });

  test("a cut in one direction is noticed by the side that hears nothing", async () => {
    const cluster = await startCluster();
    cluster.cut("a", "b");
    await cluster.eventually(() => !cluster.node("b").nodes().includes("a"));
    expect(cluster.node("c").nodes()).toEqual(["a", "b"]);
    cluster.mend("a", "b");
    await cluster.eventually(() => cluster.node("b").nodes().includes("a"));
  });

  test("time that is moved twice at once, and what never comes true, is said", async () => {
    const cluster = await startCluster();
    const first = cluster.advance(10);
    await expect(cluster.advance(10)).rejects.toThrow("moved already");
    await first;
    await expect(cluster.eventually(() => false, { withinMs: 50 })).rejects.toThrow(
      "not within 50",
    );
  });
});
