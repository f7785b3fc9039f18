import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { connected, executable, server } from "./servers.ts";

/** A proxy that flips a bit of one byte of a text, the last if none is said, the first time that the server sends it. */
async function damaging(
  port: number,
  text: string,
  { bit = 1, index = text.length - 1 } = {},
): Promise<{ url: string; isDone: () => boolean }> {
  let done = false;
  const proxy = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    client.pipe(upstream);
    upstream.on("data", (bytes: Buffer) => {
      const at = done ? -1 : bytes.indexOf(text);
      if (at >= 0) {
        bytes[at + index]! ^= bit;
        done = true;
      }
      client.write(bytes);
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      from.on("error", () => to.destroy()).on("close", () => to.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  onTestFinished(() => void proxy.close());
  await once(proxy, "listening");
  return { url: `nats://127.0.0.1:${(proxy.address() as AddressInfo).port}`, isDone: () => done };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.skipIf(executable === undefined)("one bit that is flipped on the way to a watcher", () => {
  test.for([
    ["of a value", "value-b"],
    ["of a key", "$KV.names.name.b"],
    ["of a deletion", "KV-Operation: DEL"],
  ] as const)("%s is noticed, and what was meant is told in its place", async ([, text]) => {
    const { url, port } = await server();
    const proxy = await damaging(port, text);
    const writer = await (await connected(url)).openStore("names");
    const watching = await (await connected(proxy.url)).openStore("names");
    const told: string[] = [];
    await watching.watch(
      (change) => {
        const value = change.type === "put" ? new TextDecoder().decode(change.value) : "";
        told.push(`${change.type} ${change.key} ${value}`);
      },
      { prefix: "name." },
    );
    await writer.create("name.a", bytes("value-a"));
    const revision = await writer.create("name.b", bytes("value-b"));
    await expect.poll(() => told.length, { timeout: 10_000 }).toBe(2);
    await writer.delete("name.b", revision);
    await writer.create("name.c", bytes("value-c"));
    await expect.poll(() => told.length, { timeout: 10_000 }).toBe(4);
    expect(told).toEqual([
      "put name.a value-a",
      "put name.b value-b",
      "delete name.b ",
      "put name.c value-c",
    ]);
    expect(proxy.isDone()).toBe(true);
  });

  test("of a sequence is noticed where the store would look as if it had gone back later", async () => {
    const { url, port } = await server();
    const proxy = await damaging(port, ".1.1001.", { bit: 8, index: 3 }); // It becomes 9001.
    const writer = await (await connected(url)).openStore("names");
    const watching = await (await connected(proxy.url)).openStore("names");
    const told: number[] = [];
    let revision = await writer.create("other", new Uint8Array());
    await watching.watch(({ revision: each }) => told.push(each));
    while (revision < 1_000) revision = await writer.update("other", new Uint8Array(), revision);
    for (const key of ["name.a", "name.b"]) await writer.create(key, new Uint8Array());
    await expect.poll(() => told.at(-1), { timeout: 10_000 }).toBe(1_002);
    expect(told.slice(-3)).toEqual([1_000, 1_001, 1_002]);
    expect(proxy.isDone()).toBe(true);
  });
});
