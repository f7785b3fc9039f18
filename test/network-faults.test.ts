import { existsSync, globSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNatsServer, type LocalNatsServer, startNatsServer } from "@coppice/net-nats";
import { CallError, type ClusterNode, startNode } from "coppice";
import { systemRandom } from "../packages/kernel/src/random.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type NodeProcess, startNodeProcess } from "./node-process.ts";
import { FaultProxy } from "../packages/chaos/src/real/fault-proxy.ts";

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const names = ["one", "two", "three", "four"];
const [faketime = ""] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");
if (!existsSync(faketime)) process.stderr.write("SKIPPED: clock jumps: there is no libfaketime\n");

let folder: string;
let server: LocalNatsServer;
let proxy: FaultProxy;
let caller: ClusterNode;
const running: NodeProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-faults-"));
  const executable = findNatsServer({ path: process.env["PATH"] ?? "" });
  server = await startNatsServer({ executable: executable!, storeDir: join(folder, "nats") });
  proxy = await FaultProxy.start(server.port, systemRandom);
  await startOn("a", `nats://127.0.0.1:${proxy.port}`);
  await startOn("b", server.url);
  caller = await joined("caller", "faults");
});

afterAll(async () => {
  await caller.stop();
  for (const { stop } of running) await stop("SIGKILL");
  proxy.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function startOn(name: string, url: string): Promise<void> {
  const args = ["--servers", url, "--cluster", "faults"];
  running.push(await startNodeProcess("cluster-app.ts", { name, args }));
}

function joined(name: string, cluster: string): Promise<ClusterNode> {
  return startNode({ name, cluster, servers: [server.url], logger });
}

/** Every connection is reset, and new ones are refused. */
function cut(): void {
  proxy.refuse(true);
  proxy.reset();
}

/** Where each name is, once it answers there. */
function homes(node: ClusterNode): Promise<(string | undefined)[]> {
  return Promise.all(
    names.map(async (name) => {
      const pid = node.whereis(name);
      const answer = await node.call(name, "add", [1], { timeoutMs: 500 }).catch(() => undefined);
      return answer === undefined ? undefined : pid?.node;
    }),
  );
}

const all = (node: string): string[] => names.map(() => node);

/** Calls all of the names until told to stop. */
function load(node: ClusterNode) {
  const failures: unknown[] = [];
  const state = { isOver: false, answers: 0 };
  const work = async (name: string): Promise<void> => {
    while (!state.isOver)
      await node.call(name, "add", [1]).then(
        () => (state.answers += 1),
        (thrown: unknown) =>
          failures.push(thrown instanceof CallError ? thrown.toFailure() : thrown),
      );
  };
  const done = Promise.all(names.map(work));
  const stop = async (): Promise<void> => {
    state.isOver = true;
    await done;
  };
  return { failures, state, stop };
}

describe("the connection of the node that has the names", () => {
  /** Everything is on `a`; what `b` took in an earlier test it gives back. */
  async function allOnA(): Promise<void> {
    await expect.poll(() => caller.nodes(), { timeout: 20_000 }).toContain("a");
    const b = running.find(({ name }) => name === "b")!;
    running.splice(running.indexOf(b), 1);
    expect(await b.stop("SIGTERM")).toBe(0);
    await expect.poll(() => homes(caller), { timeout: 20_000 }).toEqual(all("a"));
    await startOn("b", server.url);
  }

  test.for([
    ["is cut", cut],
    ["is cut from it to the server", () => proxy.set("up", { isBlack: true })],
    ["is cut from the server to it", () => proxy.set("down", { isBlack: true })],
  ] as const)("N4: %s: another has them; when it is healed, both are there", async ([, fault]) => {
    await allOnA();
    fault();
    await expect.poll(() => homes(caller), { timeout: 20_000 }).toEqual(all("b"));
    proxy.heal();
    await expect.poll(() => caller.nodes(), { timeout: 20_000 }).toEqual(["a", "b"]);
    expect(await homes(caller)).toEqual(all("b"));
  });

  test("is slow: nothing changes hands, and every call is answered", async () => {
    await allOnA();
    const epochs = caller.names().map(({ name, epoch }) => [name, epoch]);
    for (const direction of ["up", "down"] as const) proxy.set(direction, { delayMs: 60 });
    const { failures, state, stop } = load(caller);
    await expect.poll(() => state.answers, { timeout: 30_000 }).toBeGreaterThan(100);
    await stop();
    proxy.heal();
    expect(failures).toEqual([]);
    expect(caller.names().map(({ name, epoch }) => [name, epoch])).toEqual(epochs);
  });
});

test.skipIf(faketime === "")(
  "T1: wall clocks that jump by an hour, forth and back, change nothing",
  async () => {
    const file = join(folder, "clock");
    await writeFile(file, "+0");
    const env = {
      LD_PRELOAD: faketime,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_NO_CACHE: "1",
      FAKETIME_TIMESTAMP_FILE: file,
    };
    const args = ["--servers", server.url, "--cluster", "clocks"];
    for (const name of ["c", "d"])
      running.push(await startNodeProcess("cluster-app.ts", { name, args, env }));
    const asking = await joined("asking", "clocks");
    await expect.poll(() => homes(asking), { timeout: 20_000 }).toEqual(all("c"));
    const epochs = asking.names().map(({ name, epoch }) => [name, epoch]);
    const { failures, state, stop } = load(asking);
    for (const jump of ["+3600", "-3600", "+0"]) {
      await writeFile(file, jump);
      const before = state.answers;
      // Longer than a lease lasts.
      const untilMs = performance.now() + 3_500;
      await expect
        .poll(() => state.answers > before + 500 && performance.now() > untilMs, {
          timeout: 30_000,
        })
        .toBe(true);
    }
    await stop();
    expect(failures).toEqual([]);
    expect(asking.names().map(({ name, epoch }) => [name, epoch])).toEqual(epochs);
    expect(asking.nodes()).toEqual(["c", "d"]);
    await asking.stop();
  },
);
