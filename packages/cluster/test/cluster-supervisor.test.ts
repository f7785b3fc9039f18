import {
  ChildExistsError,
  ChildNotReadyError,
  type ClusterChild,
  type ClusterSupervisor,
  NoSuchChildError,
} from "@coppice/cluster";
import type { Pid } from "@coppice/kernel";
import { StoreUnavailableError } from "@coppice/net";
import { ChildSpecError, functionChild, GenServer } from "@coppice/otp";
import { describe, expect, test } from "vitest";
import { type SimulatedNode, simulatedCluster } from "./simulated.ts";

/** Counts, tells where it runs, and takes its count along. */
class Counter extends GenServer {
  #count: number;
  constructor(from = 0) {
    super();
    this.#count = from;
  }
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
  where(): string {
    return this.self.pid.node;
  }
  crash(): void {
    throw new Error("told to");
  }
  override save(): number {
    return this.#count;
  }
  override load(count: number): void {
    this.#count = count;
  }
}

interface Member {
  readonly node: SimulatedNode;
  readonly workers: ClusterSupervisor;
}

const permanent = (count: number): ClusterChild[] =>
  Array.from({ length: count }, (_, index) => ({ id: `child-${index}`, kind: "counter" }));

async function supervised(names: readonly string[], options: object = {}) {
  const cluster = simulatedCluster();
  const join = async (name: string, more: object = {}): Promise<Member> => {
    const node = await cluster.start(name, more);
    const workers = await cluster.run(
      node.startClusterSupervisor({ name: "workers", kinds: { counter: Counter }, ...options }),
    );
    return { node, workers };
  };
  const members: Member[] = [];
  for (const name of names) members.push(await join(name));
  await cluster.advance(1_000);
  return { ...cluster, join, members };
}

/** The processes of the kind that really run, by name, on all of the nodes. */
function running(members: readonly Member[]): string[] {
  return members
    .flatMap(({ node }) => node.kernel.processes())
    .filter(({ kind }) => kind === "gen-server")
    .map(({ label }) => label!)
    .sort();
}

const nameList = (children: readonly ClusterChild[]): string[] =>
  children.map(({ id }) => id).sort();

async function startAll(
  cluster: Awaited<ReturnType<typeof supervised>>,
  children: readonly ClusterChild[],
): Promise<void> {
  const [{ workers } = cluster.members[0]!] = cluster.members;
  await cluster.run(Promise.all(children.map((child) => workers.startChild(child))));
}

describe("a cluster supervisor", () => {
  test("E-001, E-005: starts children on any node, evenly; every node lists all of them", async () => {
    const cluster = await supervised(["a", "b", "c"]);
    const children = permanent(30);
    await startAll(cluster, children);
    expect(running(cluster.members)).toEqual(nameList(children));
    await cluster.advance(100);
    for (const { workers } of cluster.members) {
      const rows = workers.whichChildren();
      expect(rows.map(({ id }) => id)).toEqual(nameList(children));
      for (const node of ["a", "b", "c"])
        expect(rows.filter((row) => row.node === node).length).toBeGreaterThan(3);
      expect(workers.countChildren()).toEqual({ children: 30, wanted: 30, running: 30 });
    }
  });

  test("E-003: a child that crashes is started again on its node; it backs off, and is never lost", async () => {
    const cluster = await supervised(["a", "b"]);
    await startAll(cluster, [{ id: "x", kind: "counter", args: [5] }]);
    const [{ node }] = cluster.members as [Member];
    const where = await cluster.run(node.call("x", "where", []));
    for (let crash = 0; crash < 8; crash += 1) {
      await cluster.run(node.call("x", "crash", [], { timeoutMs: 40_000 }).catch(() => {}));
      expect(await cluster.run(node.call("x", "add", [1], { timeoutMs: 40_000 }))).toBe(6);
    }
    expect(await cluster.run(node.call("x", "where", []))).toBe(where);
    expect(running(cluster.members)).toEqual(["x"]);
  });

  test("E-007: a child is removed from any node, and gone everywhere", async () => {
    const cluster = await supervised(["a", "b"]);
    const children = permanent(6);
    await startAll(cluster, children);
    for (const [index, { id }] of children.entries())
      await cluster.run(cluster.members[index % 2]!.workers.terminateChild(id));
    expect(running(cluster.members)).toEqual([]);
    await cluster.advance(100);
    for (const { workers, node } of cluster.members) {
      expect(workers.whichChildren()).toEqual([]);
      expect(node.names()).toEqual([]);
      await expect(workers.terminateChild("child-1")).rejects.toThrow(NoSuchChildError);
    }
  });

  test("E-009: a node that stops ends its children there; they run on elsewhere, with their state", async () => {
    const cluster = await supervised(["a", "b"]);
    const children = permanent(10);
    await startAll(cluster, children);
    const [{ node: a }, { node: b }] = cluster.members as [Member, Member];
    for (const { id } of children) await cluster.run(a.call(id, "add", [7]));
    await cluster.run(b.stop());
    expect(b.kernel.processes()).toEqual([]);
    for (const { id } of children) expect(await cluster.run(a.call(id, "add", [1]))).toBe(8);
    expect(running(cluster.members)).toEqual(nameList(children));
  });

  test("E-011: a temporary child, and a transient one that ends well, is forgotten everywhere", async () => {
    const cluster = simulatedCluster();
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const { promise: crash, reject: fail } = Promise.withResolvers<void>();
    const kinds = {
      ends: () => functionChild({ id: "f", run: () => over }),
      crashes: () => functionChild({ id: "f", run: () => crash }),
    };
    const members: Member[] = [];
    for (const name of ["a", "b"]) {
      const node = await cluster.start(name);
      const workers = await cluster.run(node.startClusterSupervisor({ name: "workers", kinds }));
      members.push({ node, workers });
    }
    const [{ workers }] = members as [Member];
    await cluster.advance(500);
    for (const [id, kind, restart] of [
      ["temporary", "crashes", "temporary"],
      ["transient", "ends", "transient"],
      ["permanent", "ends", "permanent"],
    ] as const)
      await cluster.run(workers.startChild({ id, kind, restart }));
    end();
    fail(new Error("told to"));
    await cluster.advance(300);
    for (const { workers: each } of members)
      expect(each.whichChildren().map(({ id }) => id)).toEqual(["permanent"]);
  });

  test("E-015: with redistribution off nothing moves to a node that joins", async () => {
    const cluster = await supervised(["a"], { redistribute: "never" });
    const children = permanent(10);
    await startAll(cluster, children);
    const joined = await cluster.join("b");
    await cluster.advance(10_000);
    const rows = joined.workers.whichChildren();
    expect(new Set(rows.map(({ node }) => node))).toEqual(new Set(["a"]));
  });

  test("a node that joins takes over its share gently, with the state, and no call fails", async () => {
    const cluster = await supervised(["a"]);
    const children = permanent(20);
    await startAll(cluster, children);
    const [{ node: a }] = cluster.members as [Member];
    const calls = new Map(children.map(({ id }) => [id, 0]));
    const failures: unknown[] = [];
    const load = async (): Promise<void> => {
      for (const { id } of children) {
        try {
          expect(await a.call(id, "add", [1])).toBe(calls.get(id)! + 1);
          calls.set(id, calls.get(id)! + 1);
        } catch (thrown) {
          failures.push(thrown);
        }
      }
    };
    const joined = await cluster.join("b");
    cluster.members.push(joined);
    for (let round = 0; round < 60; round += 1) await cluster.run(load());
    await cluster.until(() => joined.workers.whichChildren().some(({ node }) => node === "b"));
    for (let round = 0; round < 200; round += 1) await cluster.run(load());
    const rows = joined.workers.whichChildren();
    expect(rows.filter(({ node }) => node === "b").length).toBeGreaterThan(4);
    expect(failures).toEqual([]);
    expect(running(cluster.members)).toEqual(nameList(children));
  });

  test("what is no gen-server moves with its state where its kind says how", async () => {
    const cluster = simulatedCluster();
    /** The state is outside of the process, as that of a component is in its memory. */
    const counts = new Map<string, number>();
    const kinds = {
      plain: () => ({
        start: (options: object, { kernel }: { kernel: SimulatedNode["kernel"] }) => {
          let own: string | undefined;
          return kernel.start(
            {
              start: ({ pid }) => {
                own = pid.toString();
                counts.set(own, 0);
              },
              handle: (message) => {
                if (message.type !== "call") return;
                if (message.method !== "add") {
                  const failure = {
                    code: "unknown_function",
                    executed: "no",
                    message: "",
                  } as const;
                  return message.reply({ ok: false, failure });
                }
                counts.set(own!, counts.get(own!)! + 1);
                message.reply({ ok: true, value: counts.get(own!) });
              },
            },
            options,
          );
        },
        transfer: {
          save: (pid: Pid) => Promise.resolve(counts.get(pid.toString())),
          load: async (pid: Pid, state: unknown) =>
            void counts.set(pid.toString(), state as number),
        },
      }),
    };
    const nodes: SimulatedNode[] = [];
    for (const name of ["a", "b"]) {
      const node = await cluster.start(name);
      const workers = await cluster.run(node.startClusterSupervisor({ name: "w", kinds }));
      nodes.push(node);
      if (name === "a") await cluster.run(workers.startChild({ id: "x", kind: "plain" }));
    }
    const [a, b] = nodes as [SimulatedNode, SimulatedNode];
    await cluster.advance(500);
    for (const expected of [1, 2]) expect(await cluster.run(b.call("x", "add", []))).toBe(expected);
    await cluster.run((a.whereis("x")!.node === "a" ? a : b).drain());
    expect(await cluster.run(b.call("x", "add", []))).toBe(3);
  });

  test("E-019, E-023: children are there again after their supervisor or its nodes have ended", async () => {
    const cluster = await supervised(["a"]);
    const children = permanent(5);
    await startAll(cluster, children);
    const [{ node: a }] = cluster.members as [Member];
    await cluster.run(a.stop());
    const joined = await cluster.join("b");
    await cluster.until(() => joined.workers.countChildren().running === 5);
    expect(running([joined])).toEqual(nameList(children));
  });

  test("E-027: on a node that is cut off nothing is added, and the error says so", async () => {
    const cluster = await supervised(["a", "b", "c"]);
    const [{ node, workers }] = cluster.members as [Member];
    node.cutOff();
    await expect(cluster.run(workers.startChild({ id: "x", kind: "counter" }))).rejects.toThrow(
      StoreUnavailableError,
    );
  });

  test("E-031: what was started is seen at once where it was started", async () => {
    const cluster = await supervised(["a", "b"]);
    for (const [index, child] of permanent(8).entries()) {
      const { node, workers } = cluster.members[index % 2]!;
      const pid = await cluster.run(workers.startChild(child));
      expect(node.whereis(child.id)).toEqual(pid);
      expect(workers.whichChildren().find(({ id }) => id === child.id)).toMatchObject({ pid });
    }
  });

  test("E-051: a split and its healing leave as many processes as there were", async () => {
    for (const splitMs of [100, 3_000, 8_000]) {
      const cluster = await supervised(["a", "b", "c"]);
      const children = permanent(20);
      await startAll(cluster, children);
      const [first, ...others] = cluster.members as [Member, Member, Member];
      first.node.cutOff();
      await cluster.advance(splitMs);
      expect(new Set(running(others)).size).toBe(running(others).length);
      first.node.reconnect();
      await cluster.advance(6_000);
      expect(running(cluster.members)).toEqual(nameList(children));
      expect(first.workers.countChildren().running).toBe(20);
    }
  });

  test("E-053: split, heal, then kill a node: nothing is lost, nothing doubled", async () => {
    for (const restart of ["permanent", "transient"] as const) {
      const cluster = await supervised(["a", "b", "c"]);
      const children = permanent(10).map((child) => ({ ...child, restart }));
      await startAll(cluster, children);
      const [a, b, c] = cluster.members as [Member, Member, Member];
      a.node.cutOff();
      await cluster.advance(3_000);
      a.node.reconnect();
      await cluster.advance(6_000);
      expect(running(cluster.members)).toEqual(nameList(children));
      b.node.crash();
      await cluster.advance(6_000);
      expect(running([a, c])).toEqual(nameList(children));
      a.node.cutOff();
      await cluster.advance(6_000);
      expect(running([c])).toEqual(nameList(children));
      a.node.reconnect();
      await cluster.advance(6_000);
      expect(running([a, c])).toEqual(nameList(children));
      for (const { id } of children)
        expect(await cluster.run(a.node.call(id, "add", [1]))).toBeGreaterThan(0);
    }
  });

  test("E-055: a takeover whose start fails is tried again until it succeeds", async () => {
    const cluster = simulatedCluster();
    let broken = true;
    const kinds = {
      fragile: () => ({
        start: async (options: object, { kernel }: { kernel: SimulatedNode["kernel"] }) => {
          if (kernel.address.node === "b" && broken) throw new Error("not yet");
          return kernel.start({ handle: () => {} }, options);
        },
      }),
    };
    const members: Member[] = [];
    for (const name of ["a", "b"]) {
      const node = await cluster.start(name);
      const workers = await cluster.run(node.startClusterSupervisor({ name: "w", kinds }));
      members.push({ node, workers });
    }
    const [a, b] = members as [Member, Member];
    await cluster.advance(500);
    for (let index = 0; index < 4; index += 1)
      await cluster
        .run(a.workers.startChild({ id: `f${index}`, kind: "fragile" }, { timeoutMs: 500 }))
        .catch((thrown: unknown) => expect(thrown).toBeInstanceOf(ChildNotReadyError));
    a.node.crash();
    await cluster.advance(10_000);
    expect(b.workers.countChildren()).toEqual({ children: 4, wanted: 4, running: 0 });
    broken = false;
    await cluster.until(() => b.workers.countChildren().running === 4, 40_000);
  });

  test("E-055: a kind that throws is a start that fails: the child is kept, its node goes on", async () => {
    const cluster = simulatedCluster();
    let broken = true;
    const kinds = {
      made: () => {
        if (broken) throw new Error("not yet");
        return { start: [Counter] as const };
      },
    };
    const node = await cluster.start("a");
    const workers = await cluster.run(node.startClusterSupervisor({ name: "w", kinds }));
    await expect(
      cluster.run(workers.startChild({ id: "x", kind: "made" }, { timeoutMs: 500 })),
    ).rejects.toThrow(ChildNotReadyError);
    expect(node.logs).toContainEqual(expect.objectContaining({ event: "start_error", child: "x" }));
    broken = false;
    await cluster.until(() => workers.countChildren().running === 1, 40_000);
  });

  test("E-059: many nodes join one after another, and every child runs once", async () => {
    const cluster = await supervised(["n0"]);
    const children = permanent(100);
    await startAll(cluster, children);
    const joining = Array.from({ length: 24 }, (_, index) => `n${index + 1}`);
    for (const name of joining) cluster.members.push(await cluster.join(name));
    await cluster.advance(12_000);
    expect(running(cluster.members)).toEqual(nameList(children));
    const used = new Set(cluster.members[0]!.workers.whichChildren().map(({ node }) => node));
    expect(used.size).toBeGreaterThan(15);
  });

  test("replicas run on different nodes; a call to their name goes to any that is there", async () => {
    const cluster = await supervised(["a", "b", "c"]);
    const [{ node: a, workers }, { node: b }] = cluster.members as [Member, Member];
    await startAll(cluster, [{ id: "pool", kind: "counter", count: 3 }]);
    expect(running(cluster.members)).toEqual(["pool#1", "pool#2", "pool#3"]);
    const answered = new Set<unknown>();
    for (let call = 0; call < 40; call += 1)
      answered.add(await cluster.run(a.call("pool", "where", [])));
    expect(answered).toEqual(new Set(["a", "b", "c"]));
    b.crash();
    for (let call = 0; call < 20; call += 1)
      await cluster.run(a.call("pool", "where", []).catch(() => {}));
    await cluster.until(() => workers.countChildren().running === 3);
    await cluster.run(workers.updateChild({ id: "pool", kind: "counter", count: 5 }));
    await cluster.until(() => workers.countChildren().running === 5);
    await cluster.run(workers.updateChild({ id: "pool", kind: "counter", count: 1 }));
    await cluster.advance(500);
    expect(running([cluster.members[0]!, cluster.members[2]!])).toEqual(["pool#1"]);
  });

  test("children go where their labels say, and wait when no node has them", async () => {
    const cluster = await supervised(["a"]);
    const child: ClusterChild = {
      id: "x",
      kind: "counter",
      placement: { labels: { gpu: "yes" } },
    };
    const [{ workers }] = cluster.members as [Member];
    await expect(cluster.run(workers.startChild(child, { timeoutMs: 200 }))).rejects.toThrow(
      /does not run after 200 ms; it is still being tried/,
    );
    const joined = await cluster.join("b", { labels: { gpu: "yes" } });
    await cluster.until(() => joined.workers.whichChildren()[0]?.node === "b");
  });

  test("what cannot be a child is refused, and a second one of the same id", async () => {
    const cluster = await supervised(["a"]);
    const [{ workers }] = cluster.members as [Member];
    const bad = [
      { id: "", kind: "counter" },
      { id: "x#1", kind: "counter" },
      { id: "x", kind: "" },
      { id: "x", kind: "counter", count: 2.5 },
      { id: "x", kind: "counter", count: 2, restart: "transient" as const },
      { id: "x", kind: "counter", args: ["y".repeat(100_000)] },
    ];
    for (const child of bad)
      await expect(workers.startChild(child)).rejects.toThrow(ChildSpecError);
    await startAll(cluster, [{ id: "x", kind: "counter" }]);
    await expect(cluster.run(workers.startChild({ id: "x", kind: "counter" }))).rejects.toThrow(
      ChildExistsError,
    );
    await expect(
      workers.startChild({ id: "y".repeat(300), kind: "counter" }),
    ).rejects.toMatchObject({ code: "name_too_long" });
  });
});
