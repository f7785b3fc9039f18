import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findNatsServer, type LocalNatsServer, startNatsServer } from "@coppice/net-nats";
import { CallError, type ClusterNode, startNode } from "coppice";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { coppice } from "./demo-process.ts";
import { type NodeProcess, startNodeProcess } from "./node-process.ts";

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const shared = ["one", "two", "three", "four"];
/** Twice its lease: others have taken everything over. */
const frozenForMs = 6_000;
const placed = Array.from({ length: 12 }, (_, index) => `child-${index}`);

let folder: string;
let server: LocalNatsServer;
let caller: ClusterNode;
const nodes = new Map<string, NodeProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-rolling-"));
  const executable = findNatsServer({ path: process.env["PATH"] ?? "" });
  server = await startNatsServer({ executable: executable!, storeDir: folder });
  for (const name of ["a", "b", "c"]) nodes.set(name, await startProcess(name));
  const servers = [server.url];
  caller = await startNode({ name: "caller", cluster: "rolling", servers, logger });
});

afterAll(async () => {
  await caller.stop();
  for (const { stop } of nodes.values()) await stop("SIGTERM");
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function startProcess(name: string): Promise<NodeProcess> {
  const args = ["--servers", server.url, "--cluster", "rolling"];
  return startNodeProcess("cluster-app.ts", { name, args });
}

/** Calls all of the names, over and over, until told to stop. Every answer must be the next number. */
function load(names: readonly string[]) {
  const counts = new Map(names.map((name) => [name, 0]));
  const failures: unknown[] = [];
  const state = { isStopped: false };
  const work = async (name: string): Promise<void> => {
    while (!state.isStopped) {
      try {
        const next = counts.get(name)! + 1;
        const answer = await caller.call(name, "add", [1], { timeoutMs: 20_000 });
        if (answer !== next) failures.push(`${name} answered ${String(answer)}, not ${next}`);
        counts.set(name, next);
      } catch (thrown) {
        failures.push(thrown instanceof CallError ? thrown.toFailure() : thrown);
      }
    }
  };
  const done = Promise.all(names.map(work));
  const stop = async (): Promise<void> => {
    state.isStopped = true;
    await done;
  };
  return { counts, failures, stop };
}

describe("with a real nats-server and nodes as processes", () => {
  test("D1: a rolling restart of all nodes under load fails no call and loses no state", async () => {
    const supervisor = await caller.startClusterSupervisor({
      name: "workers",
      kinds: {},
    });
    for (const id of placed) await supervisor.startChild({ id, kind: "counter" });
    const { counts, failures, stop } = load([...shared, ...placed]);
    for (const name of ["a", "b", "c"]) {
      await expect
        .poll(() => Math.min(...counts.values()), { timeout: 20_000 })
        .toBeGreaterThan(50);
      expect(await nodes.get(name)!.stop("SIGTERM")).toBe(0);
      nodes.set(name, await startProcess(name));
    }
    await stop();
    expect(failures).toEqual([]);
    expect(supervisor.countChildren()).toEqual({ children: 12, wanted: 12, running: 12 });
  });

  test("coppice drain empties a node, which then owns nothing and stays", async () => {
    const where = ["--servers", server.url, "--cluster", "rolling"];
    const drained = await coppice(["drain", "a", ...where]);
    expect(drained.stderr).toBe("");
    expect(drained.stdout).toMatch(/^a is drained: \d+ names are with other nodes now\n$/);
    expect(caller.names().filter(({ owner }) => owner.node === "a")).toEqual([]);
    // Which node answers is not known: another has heard of it with the next heartbeat.
    const rows = async (): Promise<unknown> =>
      JSON.parse((await coppice(["nodes", "-o", "json", ...where])).stdout);
    await expect
      .poll(rows, { timeout: 10_000 })
      .toContainEqual(expect.objectContaining({ name: "a", status: "draining", names: 0 }));
  });

  test("E-053: a killed node's children run on the others, each once", async () => {
    expect(await nodes.get("b")!.stop("SIGKILL")).toBe(null);
    await expect
      .poll(
        () => caller.names().filter(({ owner, pid }) => owner.node !== "c" || pid === undefined),
        {
          timeout: 10_000,
        },
      )
      .toEqual([]);
    expect(caller.names().map(({ name }) => name)).toEqual([...shared, ...placed].toSorted());
    for (const name of [...shared, ...placed])
      expect(await caller.call(name, "add", [1])).toBeGreaterThan(0);
  });

  test("N3, M1: a node that was frozen for longer than its lease answers nothing, and starts anew", async () => {
    nodes.set("b", await startProcess("b"));
    const owned = (name: string) => caller.names().filter(({ owner }) => owner.node === name);
    const runs = (): boolean => owned("b").some(({ pid }) => pid !== undefined);
    await expect.poll(runs, { timeout: 20_000 }).toBe(true);
    const entries = owned("b").filter(({ pid }) => pid !== undefined);
    const { failures, answers, stop } = watch(entries.map(({ name }) => name));
    const victim = nodes.get("b")!.process;
    const incarnation = () => caller.nodeInfo().find(({ node }) => node === "b")?.incarnation;
    const before = incarnation();
    const ends: unknown[] = [];
    for (const { pid } of entries) caller.kernel.monitor(pid!, (reason) => ends.push(reason.type));
    const frozenMs = performance.now();
    victim.kill("SIGSTOP");
    await expect.poll(() => owned("b"), { timeout: 10_000 }).toEqual([]);
    await expect
      .poll(() => entries.every(({ name }) => caller.whereis(name) !== undefined))
      .toBe(true);
    await sleep(frozenForMs - (performance.now() - frozenMs));
    expect(ends).toEqual(entries.map(() => "noconnection"));
    victim.kill("SIGCONT");
    // Asked over and over while it wakes up, no process of the life before answers.
    const stale: unknown[] = [];
    const ask = async (): Promise<void> => {
      while (incarnation() === undefined || incarnation() === before) {
        const asked = entries.map(({ pid }) =>
          caller.kernel.call(pid!, "add", [1], { timeoutMs: 500 }),
        );
        for (const outcome of await Promise.allSettled(asked))
          if (outcome.status === "fulfilled") stale.push(outcome.value);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await ask();
    expect(stale).toEqual([]);
    for (const { pid } of entries)
      await expect(caller.call(pid!, "add", [1])).rejects.toBeInstanceOf(CallError);
    await expect.poll(runs, { timeout: 20_000 }).toBe(true);
    for (const { name, owner } of owned("b").filter(({ pid }) => pid !== undefined)) {
      expect(owner.incarnation).toBe(incarnation());
      expect(await caller.call(name, "add", [1])).toBeGreaterThan(0);
    }
    await stop();
    for (const failure of failures) expect(failure).toMatchObject({ executed: "maybe" });
    for (const epochs of answers.values()) expect(epochs).toEqual(epochs.toSorted((x, y) => x - y));
  });

  test("N4: when the nats-server restarts, every name is owned again and answers", async () => {
    const { port, url } = server;
    await server.stop();
    const executable = findNatsServer({ path: process.env["PATH"] ?? "" })!;
    server = await startNatsServer({ executable, storeDir: folder, port });
    expect(server.url).toBe(url);
    const all = [...shared, ...placed];
    const answer = (name: string): Promise<unknown> =>
      caller.call(name, "add", [1], { timeoutMs: 2_000 }).catch(() => undefined);
    for (const name of all)
      await expect.poll(() => answer(name), { timeout: 20_000 }).toBeGreaterThan(0);
    expect(caller.names().map(({ name }) => name)).toEqual(all.toSorted());
  });
});

/** Calls the names until told to stop, and keeps the epochs that were in force before each call that was answered. */
function watch(names: readonly string[]) {
  const failures: unknown[] = [];
  const answers = new Map<string, number[]>(names.map((name) => [name, []]));
  const state = { isStopped: false };
  const work = async (name: string): Promise<void> => {
    while (!state.isStopped) {
      const epoch = caller.names().find((entry) => entry.name === name)?.epoch ?? 0;
      await caller.call(name, "add", [1], { timeoutMs: 20_000 }).then(
        () => answers.get(name)!.push(epoch),
        (thrown: unknown) => failures.push(thrown),
      );
    }
  };
  const done = Promise.all(names.map(work));
  const stop = async (): Promise<void> => {
    state.isStopped = true;
    await done;
  };
  return { failures, answers, stop };
}
