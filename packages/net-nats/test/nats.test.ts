import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreUnavailableError } from "@coppice/net";
import {
  connectNats,
  ForeignBucketError,
  freePort,
  JetStreamDisabledError,
  type LocalNatsServer,
  NatsPermissionError,
  NatsServerError,
  NatsUnreachableError,
  startNatsServer,
} from "@coppice/net-nats";
import { describeArtifacts, describeStore, describeTransport } from "@coppice/testkit/contracts";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connected, echoes, executable, server, temporaryFolder } from "./servers.ts";

/** The plain client, as another program would use it. */
async function stranger(url: string) {
  const connection = await connect({ servers: url });
  onTestFinished(() => connection.close());
  return connection;
}

describe.skipIf(executable === undefined)("a real nats-server", () => {
  let folder: string;
  let shared: LocalNatsServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coppice-nats-"));
    shared = await startNatsServer({ executable: executable!, storeDir: folder });
  });

  afterAll(async () => {
    await shared.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const connectShared = () => connectNats({ servers: [shared.url], name: "test" });

  describeTransport("NATS", async () => ({
    connect: async () => (await connectShared()).transport,
    stop: async () => {},
  }));

  describeStore("JetStream", async () => {
    const network = await connectShared();
    return { store: await network.openStore("test"), stop: () => network.close() };
  });

  describeArtifacts("JetStream", async () => {
    const network = await connectShared();
    return { artifacts: await network.openArtifacts("test"), stop: () => network.close() };
  });

  test("a port that is in use is named in the error", async () => {
    const second = server({ port: shared.port });
    await expect(second).rejects.toThrow(NatsServerError);
    await expect(second).rejects.toThrow(/address already in use/);
  });

  test("a connection that loses its server says so, and keeps its subscriptions and its store", async () => {
    const storeDir = await temporaryFolder();
    const first = await startNatsServer({ executable: executable!, storeDir });
    const { transport, openStore } = await connected(first.url);
    const statuses: string[] = [];
    const reconnected = new Promise<void>((resolve) => {
      transport.onStatus(({ type }) => {
        statuses.push(type);
        if (type === "reconnected") resolve();
      });
    });
    const got: string[] = [];
    transport.subscribe("coppice.kept.*", ({ subject }) => got.push(subject));
    const store = await openStore("test");
    const revision = await store.create("kept", new Uint8Array([1]));
    await first.stop();
    await expect.poll(() => transport.connected).toBe(false);
    const flushed = transport.flush();
    transport.subscribe("coppice.made.meanwhile", ({ subject }) => got.push(subject));
    transport.publish("coppice.kept.lost", new Uint8Array());
    await server({ storeDir, port: first.port });
    await reconnected;
    await flushed;
    expect(statuses).toEqual(["disconnected", "reconnected"]);
    expect((await store.get("kept"))?.revision).toBe(revision);
    for (const subject of ["coppice.kept.one", "coppice.made.meanwhile"])
      transport.publish(subject, new Uint8Array());
    await transport.flush();
    expect(got).toEqual(["coppice.kept.one", "coppice.made.meanwhile"]);
  });

  test("a watch goes on after its server was restarted, with what was written meanwhile", async () => {
    const storeDir = await temporaryFolder();
    const first = await startNatsServer({ executable: executable!, storeDir });
    const watching = await (await connected(first.url)).openStore("test");
    const writer = await (await connected(first.url)).openStore("test");
    const keys: string[] = [];
    await watching.watch(({ key }) => keys.push(key));
    await writer.create("before", new Uint8Array([1]));
    await expect.poll(() => keys).toEqual(["before"]);
    await first.stop();
    await server({ storeDir, port: first.port });
    const create = () => writer.create("after", new Uint8Array([1]));
    await expect.poll(() => create().catch((thrown: Error) => thrown), { timeout: 10_000 }).toBe(2);
    await expect.poll(() => keys, { timeout: 20_000 }).toContain("after");
    expect(keys.filter((key) => key === "after")).toHaveLength(1);
  });

  test("a watch goes on, and misses and repeats nothing, when what serves it in the server is gone", async () => {
    const { openStore } = await connected(shared.url);
    const store = await openStore("orphan");
    const seen: string[] = [];
    const first = await store.create("a", new Uint8Array());
    await store.watch((change) => void seen.push(`${change.type} ${change.key}`));
    expect(seen).toEqual(["put a"]);
    const manager = await jetstreamManager(await stranger(shared.url));
    for await (const { name } of manager.consumers.list("KV_orphan"))
      await manager.consumers.delete("KV_orphan", name);
    await store.create("b", new Uint8Array());
    await store.delete("a", first);
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(["put a", "put b", "delete a"]);
  });

  test("of several servers another is used when one dies", async () => {
    const [portA, portB] = [await freePort(), await freePort()];
    const a = await server({ port: portA });
    const servers = [portA, portB].map((port) => `nats://127.0.0.1:${port}`);
    const network = await connected(a.url, { servers });
    const heard = Promise.withResolvers<void>();
    network.transport.subscribe("coppice.after", () => heard.resolve());
    expect(await echoes(network)).toBe(true);
    const b = await server({ port: portB });
    const reconnected = new Promise<void>((resolve) => {
      network.transport.onStatus(({ type }) => type === "reconnected" && resolve());
    });
    a.process.kill("SIGKILL");
    await reconnected;
    (await stranger(b.url)).publish("coppice.after");
    await heard.promise;
  });

  test("a subscriber that is too slow is cut off by the server, told, and subscribed again", async () => {
    const { url } = await server({ configuration: "max_pending: 1MB\nwrite_deadline: 500ms" });
    const { transport } = await connected(url);
    const statuses: string[] = [];
    const back = new Promise<void>((resolve) => {
      transport.onStatus(({ type }) => {
        statuses.push(type);
        if (type === "reconnected") resolve();
      });
    });
    let got = 0;
    transport.subscribe("coppice.flood", () => {
      got += 1;
    });
    await transport.flush();
    const flood = new URL("flood.ts", import.meta.url).pathname;
    // Blocks this thread, as a busy handler would, while another process publishes 64 MB.
    execFileSync(process.execPath, [flood, url, "coppice.flood"]);
    await back;
    expect(statuses.slice(0, 2)).toEqual(["disconnected", "reconnected"]);
    expect(got).toBeLessThan(1_000);
    const before = got;
    transport.publish("coppice.flood", new Uint8Array());
    await transport.flush();
    expect(got).toBe(before + 1);
  });

  test("a server without JetStream is named with the setting", async () => {
    const { url } = await server({ jetstream: false });
    const network = await connected(url);
    for (const open of [network.openStore, network.openArtifacts]) {
      const failed = open("names");
      await expect(failed).rejects.toThrow(JetStreamDisabledError);
      await expect(failed).rejects.toThrow(/start it with -js or a jetstream block/);
    }
  });

  test("a bucket of somebody else is left alone", async () => {
    const other = await stranger(shared.url);
    const kv = await new Kvm(jetstream(other)).create("theirs", { description: "their prices" });
    await kv.put("price", "1");
    const network = await connected(shared.url);
    const failed = network.openStore("theirs");
    await expect(failed).rejects.toThrow(ForeignBucketError);
    await expect(failed).rejects.toThrow(/described as "their prices"/);
    expect((await kv.get("price"))?.string()).toBe("1");
    const manager = await jetstreamManager(other);
    await manager.streams.add({ name: "OBJ_theirs", subjects: ["$O.theirs.C.>", "$O.theirs.M.>"] });
    await expect(network.openArtifacts("theirs")).rejects.toThrow(ForeignBucketError);
  });

  test("what a watcher throws, and an entry that somebody else wrote, is reported and breaks nothing", async () => {
    const network = await connected(shared.url);
    const store = await network.openStore("shared");
    const reported: string[] = [];
    network.transport.onStatus((status) => {
      if (status.type === "error") reported.push(status.error.message);
    });
    const keys: string[] = [];
    await store.watch((change) => {
      if (change.key === "strange") throw new Error("an entry that cannot be used");
      keys.push(change.key);
    });
    const kv = await new Kvm(jetstream(await stranger(shared.url))).open("shared");
    await kv.put("garbage", "???");
    await kv.delete("gone");
    await store.create("strange", new Uint8Array([1]));
    await store.create("good", new Uint8Array([1]));
    await expect.poll(() => keys, { timeout: 10_000 }).toEqual(["good"]);
    expect(reported).toEqual([
      "the value of the key garbage was damaged",
      "the value of the key gone was damaged",
      "an entry that cannot be used",
    ]);
    await expect(store.get("garbage")).rejects.toThrow(StoreUnavailableError);
  });

  test("a store whose server is gone fails in time, and says that a write may have been made", async () => {
    const own = await server();
    const network = await connected(own.url);
    const store = await network.openStore("names");
    own.process.kill("SIGKILL");
    await once(own.process, "exit");
    await expect(store.create("a", new Uint8Array())).rejects.toThrow(StoreUnavailableError);
  });

  test("an artifact that was exchanged is refused on arrival", async () => {
    const network = await connected(shared.url);
    const artifacts = await network.openArtifacts("exchanged");
    const digest = await artifacts.put(new Uint8Array([1, 2, 3]));
    const objects = await new Objm(jetstream(await stranger(shared.url))).open("exchanged");
    await objects.putBlob({ name: digest }, new Uint8Array([9]));
    await expect(artifacts.get(digest)).rejects.toMatchObject({ code: "artifact_damaged" });
  });

  test.for([
    ["subscribe", 'subscribe: { deny: "coppice.v1.c.node.>" }'],
    ["publish", 'publish: { deny: "coppice.v1.c.node.>" }'],
  ] as const)(
    "a forbidden %s on a subject that a node needs closes the connection, loudly",
    async ([operation, permissions]) => {
      const users = `[{ user: u, password: p, permissions: { ${permissions} } }]`;
      const { url } = await server({ configuration: `authorization { users: ${users} }` });
      const credentials = { type: "password", user: "u", pass: "p" } as const;
      const { transport } = await connected(url, { credentials });
      const closed = new Promise<Error | undefined>((resolve) => {
        transport.onStatus((status) => {
          if (status.type === "closed") resolve(status.error);
        });
      });
      if (operation === "subscribe") transport.subscribe("coppice.v1.c.node.a.*", () => {});
      else transport.publish("coppice.v1.c.node.b.a", new Uint8Array());
      const error = await closed;
      expect(error).toBeInstanceOf(NatsPermissionError);
      expect(error?.message).toMatch(
        /does not let this node (?:publish|subscribe) to coppice\.v1\.c\.node/,
      );
      expect(transport.connected).toBe(false);
    },
  );

  test("an answer that a client wants on a forbidden subject is an error, and nothing more", async () => {
    const users = '[{ user: u, password: p, permissions: { publish: { deny: "secret" } } }]';
    const { url } = await server({ configuration: `authorization { users: ${users} }` });
    const credentials = { type: "password", user: "u", pass: "p" } as const;
    const network = await connected(url, { credentials });
    const reported = new Promise<Error>((resolve) => {
      network.transport.onStatus((status) => {
        if (status.type === "error") resolve(status.error);
      });
    });
    network.transport.publish("secret", new Uint8Array());
    expect(await reported).toBeInstanceOf(NatsPermissionError);
    expect(await echoes(network)).toBe(true);
  });
});

test("a server that does not answer is named, with what to do", async () => {
  const failed = connectNats({ servers: ["nats://127.0.0.1:1"], name: "test", timeoutMs: 500 });
  await expect(failed).rejects.toThrow(NatsUnreachableError);
  await expect(failed).rejects.toThrow(/no NATS server answers at nats:\/\/127.0.0.1:1: start one/);
});
