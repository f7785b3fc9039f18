import { encode, MemoryStore, type Store } from "@coppice/net";
import { expect, test } from "vitest";
import { listen, simulatedCluster } from "./simulated.ts";

/** A store that forgets everything when it is told to, and counts from the start. */
function forgetfulStore(make: () => MemoryStore) {
  let current = make();
  const watches: Parameters<Store["watch"]>[] = [];
  const store: Store = {
    get: (key) => current.get(key),
    create: (key, value) => current.create(key, value),
    update: (key, value, revision) => current.update(key, value, revision),
    delete: (key, revision) => current.delete(key, revision),
    watch: (...watch) => {
      watches.push(watch);
      return current.watch(...watch);
    },
    close: () => current.close(),
  };
  const forget = async (): Promise<void> => {
    await current.close();
    current = make();
    for (const watch of watches) await current.watch(...watch);
  };
  return { store, forget };
}

async function regressed() {
  const cluster = simulatedCluster();
  const { clock, run, advance, until } = cluster;
  const { store, forget } = forgetfulStore(() => new MemoryStore({ clock }));
  const node = await cluster.start("a", { store });
  const owner = listen(node);
  const plain = listen(node);
  await run(node.register("name", owner.pid));
  for (let count = 0; count < 20; count += 1)
    await store.delete("x", await store.create("x", encode(count)));
  await advance(2_000);
  await forget();
  return { ...cluster, store, node, owner, plain, run, advance, until };
}

const eventsOf = (logs: readonly { event?: unknown }[], event: string) =>
  logs.filter((each) => each.event === event);

test("N1: on a store whose revisions went back a node owns nothing, says so, and goes on without names", async () => {
  const { node, owner, plain, run, advance, until } = await regressed();
  await until(() => !node.kernel.isAlive(owner.pid), 3_000);
  expect(eventsOf(node.logs, "registry_regressed")).toHaveLength(1);
  expect(eventsOf(node.logs, "node_deposed")).toEqual([]);
  await advance(10_000);
  expect(node.kernel.isAlive(plain.pid)).toBe(true);
  await expect(run(node.register("other", plain.pid))).rejects.toMatchObject({
    code: "store_unavailable",
    cause: { code: "registry_regressed", seen: expect.any(Number) },
  });
});

test("N1: it owns names again when the store is ahead of everything it had seen, and no epoch came twice", async () => {
  const { node, store, plain, run, advance, until } = await regressed();
  const before = node.registryRevision;
  await until(() => eventsOf(node.logs, "registry_regressed").length > 0, 5_000);
  for (let revision = 0; revision <= before;)
    revision = await store.create(
      `name.${revision}`,
      encode({ name: `${revision}`, owner: { node: "z", incarnation: "z" } }),
    );
  await advance(5_000);
  expect(eventsOf(node.logs, "registry_recovered")).toHaveLength(1);
  await run(node.register("other", plain.pid));
  expect(node.names().find(({ name }) => name === "other")!.epoch).toBeGreaterThan(before);
});

test("N1: a node that is told what was seen before does not start on a store that is behind it", async () => {
  const { start } = simulatedCluster();
  const starting = start("a", { registryRevision: 1_000 });
  await expect(starting).rejects.toMatchObject({
    cause: { code: "registry_regressed", seen: 1_000 },
  });
});
