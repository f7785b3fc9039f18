import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  connectNats,
  findNatsServer,
  type LocalNatsServer,
  NatsServerError,
  NatsUnreachableError,
  startNatsServer,
} from "@coppice/net-nats";
import { describeStore, describeTransport } from "@coppice/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const executable = findNatsServer({
  given: process.env["COPPICE_NATS_SERVER"],
  path: process.env["PATH"] ?? "",
});
if (executable === undefined)
  process.stderr.write("SKIPPED: net-nats against a real server: no nats-server was found\n");

describe.skipIf(executable === undefined)("a real nats-server", () => {
  let folder: string;
  let server: LocalNatsServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coppice-nats-"));
    server = await startNatsServer({ executable: executable!, storeDir: folder });
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const connect = () => connectNats({ servers: [server.url], name: "test" });

  describeTransport("NATS", async () => ({
    connect: async () => (await connect()).transport,
    stop: async () => {},
  }));

  describeStore("JetStream", async () => {
    const network = await connect();
    return { store: await network.openStore("test"), stop: () => network.close() };
  });

  test("a port that is in use is named in the error", async () => {
    const second = startNatsServer({
      executable: executable!,
      storeDir: join(folder, "second"),
      port: server.port,
    });
    await expect(second).rejects.toThrow(NatsServerError);
    await expect(second).rejects.toThrow(/address already in use/);
  });

  test("a connection that loses its server says so, and works again when it is back", async () => {
    const storeDir = join(folder, "third");
    const first = await startNatsServer({ executable: executable!, storeDir });
    const network = await connectNats({ servers: [first.url], name: "test" });
    const statuses: string[] = [];
    const reconnected = new Promise<void>((resolve) => {
      network.transport.onStatus(({ type }) => {
        statuses.push(type);
        if (type === "reconnected") resolve();
      });
    });
    const store = await network.openStore("test");
    const revision = await store.create("kept", new Uint8Array([1]));
    await first.stop();
    const again = await startNatsServer({ executable: executable!, storeDir, port: first.port });
    await reconnected;
    expect(statuses.slice(0, 2)).toEqual(["disconnected", "reconnected"]);
    expect((await store.get("kept"))?.revision).toBe(revision);
    await network.close();
    await again.stop();
  });
});

test("a server that does not answer is named, with what to do", async () => {
  const failed = connectNats({ servers: ["nats://127.0.0.1:1"], name: "test", timeoutMs: 500 });
  await expect(failed).rejects.toThrow(NatsUnreachableError);
  await expect(failed).rejects.toThrow(/no NATS server answers at nats:\/\/127.0.0.1:1: start one/);
});
