import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { freePort, type NatsNetwork, StoreRegressedError } from "@coppice/net-nats";
import { describe, expect, test } from "vitest";
import { connected, echoes, executable, server, temporaryFolder } from "./servers.ts";

const value = new TextEncoder().encode("value");

/** The next time that happens. */
function next(network: NatsNetwork, type: "reconnected" | "closed"): Promise<Error | undefined> {
  return new Promise((resolve) => {
    network.transport.onStatus((status) => {
      if (status.type === type) resolve(status.type === "closed" ? status.error : undefined);
    });
  });
}

describe.skipIf(executable === undefined)("a server that is started again", () => {
  test("with all it had acknowledged serves on; without, the connection closes and says so", async () => {
    const [storeDir, backup, port] = [
      await temporaryFolder(),
      await temporaryFolder(),
      await freePort(),
    ];
    const files = join(storeDir, "jetstream");
    const first = await server({ storeDir, port });
    const network = await connected(first.url);
    const store = await network.openStore("names");
    await store.watch(() => {});
    let revision = await store.create("name.a", value);
    await first.stop();
    await cp(files, backup, { recursive: true });

    const back = next(network, "reconnected");
    const second = await server({ storeDir, port });
    await back;
    for (let times = 0; times < 5; times += 1)
      revision = await store.update("name.a", value, revision);
    expect(await echoes(network)).toBe(true);
    await second.stop();

    await rm(files, { recursive: true });
    await cp(backup, files, { recursive: true });
    const closed = next(network, "closed");
    await server({ storeDir, port });
    const error = await closed;
    expect(error).toBeInstanceOf(StoreRegressedError);
    expect(error).toMatchObject({ code: "store_regressed", seen: 6, found: 1 });
  });

  test("without the bucket: the same", async () => {
    const [storeDir, port] = [await temporaryFolder(), await freePort()];
    const first = await server({ storeDir, port });
    const network = await connected(first.url);
    const store = await network.openStore("names");
    await store.create("name.a", value);
    await first.stop();
    await rm(join(storeDir, "jetstream"), { recursive: true });
    const closed = next(network, "closed");
    await server({ storeDir, port });
    expect(await closed).toMatchObject({ code: "store_regressed", seen: 1, found: 0 });
  });
});
