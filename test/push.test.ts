import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNatsServer, type LocalNatsServer, startNatsServer } from "@coppice/net-nats";
import { type ClusterNode, startNode } from "coppice";
import { afterAll, beforeAll, expect, test } from "vitest";
import { watFixture } from "../packages/component/test/components/fixtures.ts";
import { coppice } from "./demo-process.ts";
import { type NodeProcess, startNodeProcess } from "./node-process.ts";

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const running: NodeProcess[] = [];
let folder: string;
let server: LocalNatsServer;
let caller: ClusterNode;
let where: readonly string[];
let digest: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-push-"));
  const executable = findNatsServer({ path: process.env["PATH"] ?? "" });
  server = await startNatsServer({ executable: executable!, storeDir: join(folder, "nats") });
  where = ["--servers", server.url, "--cluster", "push"];
  caller = await startNode({ name: "caller", cluster: "push", servers: [server.url], logger });
  digest = await pushed();
});

afterAll(async () => {
  await caller.stop();
  for (const { stop } of running) await stop("SIGKILL");
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The digest of a component whose file is gone when it has been pushed. */
async function pushed(): Promise<string> {
  const path = join(folder, "tiny.wasm");
  await writeFile(path, await watFixture("tiny"));
  const { stdout, stderr } = await coppice(["push", path, ...where]);
  expect(stderr).toBe("");
  const again = await coppice(["push", path, ...where, "-o", "json"]);
  expect(JSON.parse(again.stdout)).toEqual({ digest: stdout.trim(), bytes: expect.any(Number) });
  await rm(path);
  return stdout.trim();
}

/** Each node has a cache of its own. */
async function start(name: string, ...more: readonly string[]) {
  const set = ["--set", `digest=${digest}`, `cacheDir=${join(folder, name)}`];
  const node = await startNodeProcess("pushed-app.ts", { name, args: [...where, ...set, ...more] });
  running.push(node);
  return node;
}

test("a component that was pushed runs on nodes that never saw its file, also after a failover", async () => {
  const first = await start("a");
  await start("b", "--label", "zone=north", "disk=fast", "--weight", "2");
  expect(await caller.call("adder", "add", [2, 3])).toBe(5);
  expect(caller.whereis("adder")?.node).toBe("a");
  await first.stop("SIGKILL");
  await expect.poll(() => caller.whereis("adder")?.node, { timeout: 10_000 }).toBe("b");
  expect(await caller.call("adder", "add", [2, 3])).toBe(5);
});

test("a node tells the labels it was started with", async () => {
  const rows = async (): Promise<unknown> =>
    JSON.parse((await coppice(["nodes", "-o", "json", ...where])).stdout);
  const labels = { zone: "north", disk: "fast" };
  await expect
    .poll(rows, { timeout: 10_000 })
    .toContainEqual(expect.objectContaining({ name: "b", labels }));
});

test("a node whose component nobody pushed to its cluster does not start, and says which", async () => {
  const starting = start("c", "--cluster", "other");
  await expect(starting).rejects.toThrow(`digest ${digest} in the store`);
});
