import {
  available,
  type ClusterNode,
  ClusterNameTakenError,
  ClusterNameNotRegisteredError,
} from "@coppice/cluster";
import type { Store } from "@coppice/net";
import { GenServer } from "@coppice/otp";
import { describe, expect, test } from "vitest";
import { listen, type SimulatedNode, simulatedCluster } from "./simulated.ts";

/** Counts, tells where it runs, and takes its count along. */
class Counter extends GenServer {
  #count = 0;
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
  where(): string {
    return this.self.pid.node;
  }
  async slow(): Promise<string> {
    await new Promise<void>((resolve) => this.self.kernel.clock.after(300, resolve));
    return "done";
  }
  override save(): number {
    return this.#count;
  }
  override load(count: number): void {
    this.#count = count;
  }
}

const tree = {
  strategy: "one_for_one",
  children: [{ id: "counter", name: "counter", start: [Counter] }],
} as const;

async function nodes(...names: string[]) {
  const cluster = simulatedCluster();
  const started: SimulatedNode[] = [];
  for (const name of names) started.push(await cluster.start(name));
  await cluster.advance(500);
  return { ...cluster, nodes: started };
}

async function two() {
  const cluster = await nodes("a", "b");
  const [a, b] = cluster.nodes as [SimulatedNode, SimulatedNode];
  return { ...cluster, a, b };
}

/** The processes of a kind that run on these nodes, by label. */
const alive = (some: readonly ClusterNode[]): string[] =>
  some
    .flatMap(({ kernel }) => kernel.processes())
    .filter(({ kind }) => kind === "gen-server")
    .map(({ label, pid }) => `${label} on ${pid.node}`);

describe("registered processes", () => {
  test("D-051, E-071: register, look up, taken, unregister from another node, and again", async () => {
    const { a, b, run, advance } = await two();
    const [first, second] = [listen(a), listen(b)];
    await run(a.register("name", first.pid));
    await advance(10);
    expect(b.whereis("name")).toEqual(first.pid);
    const taken = await run(b.register("name", second.pid).catch((thrown: unknown) => thrown));
    expect(taken).toBeInstanceOf(ClusterNameTakenError);
    expect(taken).toMatchObject({ code: "name_taken", pid: first.pid });
    await run(b.unregister("name"));
    await advance(10);
    for (const node of [a, b]) expect(node.whereis("name")).toBeUndefined();
    await expect(run(b.unregister("name"))).rejects.toThrow(ClusterNameNotRegisteredError);
    expect(a.kernel.isAlive(first.pid)).toBe(true);
  });

  test("E-073: a process of another node is registered there, and seen by both", async () => {
    const { a, b, run, advance } = await two();
    const { pid } = listen(b);
    await run(a.register("name", pid));
    await advance(10);
    for (const node of [a, b]) {
      expect(node.whereis("name")).toEqual(pid);
      expect(node.names()).toMatchObject([{ name: "name", owner: { node: "b" } }]);
    }
  });

  test("E-033: of two nodes that register a name in the same moment one gets it", async () => {
    const { a, b, run } = await two();
    const both = [a.register("name", listen(a).pid), b.register("name", listen(b).pid)];
    const results = await run(Promise.allSettled(both));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(a.whereis("name")).toEqual(b.whereis("name"));
  });

  test("E-035, E-039: the name goes with its process; a call to it then says that nobody has it", async () => {
    const { a, b, run, advance } = await two();
    const first = listen(a);
    await run(a.register("name", first.pid));
    first.stop();
    await advance(10);
    await expect(run(b.call("name", "x", []))).rejects.toMatchObject({ code: "noproc" });
    await run(b.register("name", listen(b).pid));
  });

  test("D-053: a process whose node loses its session is killed, and never two have the name", async () => {
    const { a, b, run, advance, until } = await two();
    const old = listen(a);
    await run(a.register("name", old.pid));
    const ended = new Promise((resolve) => a.kernel.monitor(old.pid, resolve));
    a.cutOff();
    const next = listen(b);
    const tookMs = await until(() => !a.kernel.isAlive(old.pid));
    expect(tookMs).toBeLessThanOrEqual(2_700);
    expect(await ended).toEqual({ type: "killed" });
    await run(b.register("name", next.pid));
    a.reconnect();
    await advance(3_000);
    for (const node of [a, b]) expect(node.whereis("name")).toEqual(next.pid);
  });

  test("D-061: a name that was given up during a split does not come back", async () => {
    const { a, b, run, advance } = await two();
    const { pid } = listen(b);
    await run(b.register("name", pid));
    await advance(10);
    a.cutOff();
    await run(b.unregister("name"));
    await advance(500);
    a.reconnect();
    await advance(500);
    for (const node of [a, b]) expect(node.whereis("name")).toBeUndefined();
  });

  test("a registered process gets messages and calls by its name, also through another registry", async () => {
    const { a, b, run, advance } = await two();
    const pid = a.kernel.spawn({
      handle: (message) => {
        if (message.type === "call") message.reply({ ok: true, value: message.args });
      },
    });
    await run(a.register("name", pid));
    await advance(10);
    expect(await run(b.call("name", "echo", [1]))).toEqual([1]);
    const via = { via: { whereis: () => pid }, name: "mine" };
    expect(await run(b.call(via, "echo", [2]))).toEqual([2]);
    expect(await run(b.ref(pid).call("echo", [3]))).toEqual([3]);
  });

  test("a name that could not be registered for want of the store can be registered later", async () => {
    const { a, run, advance } = await two();
    const { pid } = listen(a);
    a.cutOff();
    await expect(run(a.register("name", pid))).rejects.toMatchObject({ code: "store_unavailable" });
    a.reconnect();
    await advance(500);
    await run(a.register("name", pid));
    expect(a.whereis("name")).toEqual(pid);
  });

  test("a name that fits no subject is refused, and says so", async () => {
    const { a, run } = await two();
    const { pid } = listen(a);
    await expect(run(a.register("x".repeat(10_000), pid))).rejects.toMatchObject({
      code: "name_too_long",
      message: expect.stringMatching(/is too long: 10000 characters/),
    });
    await expect(run(a.register("half \ud800", pid))).rejects.toThrow(/not well-formed/);
    for (const name of ["a.b", "*", ">", " ", "\0", "😀", "=41", ""]) {
      await run(a.register(name, listen(a).pid));
      expect(a.whereis(name)).toBeDefined();
    }
    expect(new Set(a.names().map(({ name }) => name)).size).toBe(8);
  });
});

describe("handing over", () => {
  test("D1: a node that drains hands over the process with its state, and no call fails", async () => {
    const { a, b, run, advance } = await two();
    await run(a.start(tree));
    await run(b.start(tree));
    const failures: unknown[] = [];
    const answers: unknown[] = [];
    const caller = async (node: ClusterNode): Promise<void> => {
      for (let call = 0; call < 200; call += 1) {
        await node.call("counter", "add", [1]).then(
          (value) => answers.push(value),
          (thrown: unknown) => failures.push(thrown),
        );
        await new Promise<void>((resolve) => node.clock.after(5, resolve));
      }
    };
    const calls = Promise.all([caller(a), caller(b), caller(b)]);
    await advance(200);
    const result = await run(a.drain());
    expect(result).toEqual({ handedOver: ["counter"], kept: [] });
    await run(calls);
    expect(failures).toEqual([]);
    expect(answers.toSorted((x, y) => Number(x) - Number(y))).toEqual(
      Array.from({ length: 600 }, (_, index) => index + 1),
    );
    expect(alive([a, b])).toEqual(["counter on b"]);
    expect(a.nodeInfo()[0]).toMatchObject({ node: "a", traits: { draining: true } });
  });

  test("D1: what waits in the mailbox is answered first, what arrives for the old process is forwarded", async () => {
    const { a, b, run, advance } = await two();
    await run(a.start(tree));
    await run(b.start(tree));
    const old = a.whereis("counter")!;
    const answered = b.kernel.call(old, "slow", []);
    await advance(10);
    const draining = a.drain();
    await advance(20);
    const held = b.kernel.call(old, "add", [5]);
    b.kernel.cast(old, "add", [2]);
    a.cast("counter", "add", [3]);
    expect(await run(answered)).toBe("done");
    await run(draining);
    expect([5, 8]).toContain(await run(held));
    expect(await run(b.kernel.call(old, "add", [1]))).toBe(11);
    expect(await run(b.call("counter", "where", []))).toBe("b");
  });

  test("a process that nobody takes runs on until its node stops", async () => {
    const { a, b, run } = await two();
    await run(a.start(tree));
    expect(await run(a.drain())).toEqual({ handedOver: [], kept: ["counter"] });
    expect(await run(b.call("counter", "add", [1]))).toBe(1);
  });

  test("a hand-off that fails leaves the process running where it is, with all its messages", async () => {
    const { a, b, run, advance } = await two();
    await run(a.start(tree));
    await run(b.start(tree));
    expect(await run(a.call("counter", "add", [1]))).toBe(1);
    const slow = a.call("counter", "slow", []);
    await advance(10);
    const draining = a.drain();
    await advance(50);
    const waiting = a.call("counter", "add", [1], { timeoutMs: 20_000 });
    b.crash();
    expect(await run(slow)).toBe("done");
    expect(await run(draining)).toEqual({ handedOver: [], kept: ["counter"] });
    expect(await run(waiting)).toBe(2);
  });

  test("E-057: a rolling restart of all nodes keeps every process and its state", async () => {
    const cluster = await nodes("a", "b", "c");
    for (const node of cluster.nodes) await cluster.run(node.start(tree));
    const { run } = cluster;
    let expected = 0;
    for (let round = 0; round < 3; round += 1) {
      const [oldest] = cluster.nodes.splice(0, 1) as [SimulatedNode];
      expected += 1;
      expect(await run(oldest.call("counter", "add", [1]))).toBe(expected);
      await run(oldest.stop());
      const again = await cluster.start(oldest.name);
      await run(again.start(tree));
      cluster.nodes.push(again);
      expect(alive(cluster.nodes)).toHaveLength(1);
    }
    expect(await run(cluster.nodes[0]!.call("counter", "add", [0]))).toBe(3);
  });
});

describe("the lease of a name", () => {
  test("C3: calls made while a name has no process are handled in the order in which they were made", async () => {
    const { a, b, run, advance } = await two();
    await run(a.start(tree));
    await advance(10);
    const old = a.whereis("counter")!;
    a.kernel.exit(old, { type: "kill" });
    const answers: unknown[] = [];
    const calls: Promise<unknown>[] = [];
    for (let call = 1; call <= 40; call += 1) {
      calls.push(b.call("counter", "add", [1]).then((value) => answers.push(value)));
      if (call % 10 === 0) await advance(1);
    }
    await run(Promise.all(calls));
    expect(answers).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  test("B-065: a call in flight to a node that drops out ends, and says that it may have run", async () => {
    const { a, b, run, advance } = await two();
    await run(a.start(tree));
    await advance(10);
    const call = b.call("counter", "slow", []).catch((thrown: unknown) => thrown);
    await advance(10);
    a.cutOff();
    expect(await run(call)).toMatchObject({ code: "noconnection", executed: "maybe" });
  });

  test("a strict process stops when its node's session runs out; no restart is counted", async () => {
    const { a, run, until, advance } = await two();
    await run(a.start({ ...tree, maxRestarts: 0 }));
    for (let cut = 0; cut < 3; cut += 1) {
      a.cutOff();
      const tookMs = await until(() => alive([a]).length === 0);
      expect(tookMs).toBeLessThanOrEqual(2_700);
      a.reconnect();
      await until(() => alive([a]).length === 1);
    }
    await advance(100);
    expect(a.logs.filter(({ event }) => event === "supervisor_shutdown")).toEqual([]);
    expect(await run(a.call("counter", "add", [1]))).toBe(1);
  });

  test("E-025, E-075: an available process goes on while cut off; when the split has healed, one is left", async () => {
    const { a, b, run, advance, until } = await two();
    const availableTree = { ...tree, children: [available(tree.children[0])], maxRestarts: 0 };
    await run(a.start(availableTree));
    await run(b.start(availableTree));
    expect(await run(a.call("counter", "add", [1]))).toBe(1);
    a.cutOff();
    await until(() => alive([b]).length === 1);
    expect(await run(a.call("counter", "add", [1]))).toBe(2);
    expect(await run(b.call("counter", "add", [1]))).toBe(1);
    expect(alive([a, b])).toEqual(["counter on a", "counter on b"]);
    a.reconnect();
    await until(() => alive([a, b]).length === 1);
    await advance(3_000);
    expect(alive([a, b])).toEqual(["counter on b"]);
    expect(await run(a.call("counter", "add", [1]))).toBe(2);
    for (const { logs } of [a, b])
      expect(logs.filter(({ event }) => event === "supervisor_shutdown")).toEqual([]);
  });

  test("N4: a name is served although the store lost a write that it had accepted", async () => {
    const cluster = simulatedCluster();
    const { store: shared, run, until } = cluster;
    let lost = 0;
    const store: Store = {
      get: (key) => shared.get(key),
      create: (key, value) => {
        if (key !== "name.counter" || lost > 0) return shared.create(key, value);
        lost += 1;
        return Promise.resolve(1_000_000);
      },
      update: (key, value, revision) => shared.update(key, value, revision),
      delete: (key, revision) => shared.delete(key, revision),
      watch: (onChange, options) => shared.watch(onChange, options),
      close: () => shared.close(),
    };
    const a = await cluster.start("a", { store });
    await run(a.start(tree));
    await until(() => a.whereis("counter") !== undefined, 2_000);
    expect(await run(a.call("counter", "add", [1]))).toBe(1);
    expect(lost).toBe(1);
  });

  test("while the store cannot be reached nobody takes a name over", async () => {
    const { a, b, run, advance } = await two();
    await run(a.start(tree));
    await run(b.start(tree));
    a.crash();
    b.cutOff();
    await advance(10_000);
    expect(alive([b])).toEqual([]);
    b.reconnect();
    await advance(4_000);
    expect(alive([b])).toEqual(["counter on b"]);
  });
});
