import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { seededRandom } from "@coppice/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultProxy } from "../src/real/fault-proxy.ts";

/** A server that sends back what it gets, a proxy before it, and a client that keeps what it hears. */
let server: Server;
let proxy: FaultProxy;
let client: Socket;
let heard: Buffer;
const accepted: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => socket.write(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as { readonly port: number };
  proxy = await FaultProxy.start(address.port, seededRandom(1));
  client = await open();
});

afterEach(() => {
  client.destroy();
  proxy.close();
  for (const socket of accepted.splice(0)) socket.destroy();
  server.close();
});

async function open(): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: proxy.port });
  heard = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
  });
  await once(socket, "connect");
  return socket;
}

/** Whatever its error was. */
function closed(socket: Socket): Promise<"closed"> {
  return new Promise((resolve) => socket.once("close", () => resolve("closed")));
}

const text = (): string => heard.toString("latin1");

test("without faults everything passes, in order and as it was", async () => {
  const sent = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
  client.write(sent);
  await expect.poll(() => heard.length).toBe(sent.length);
  expect(heard.equals(sent)).toBe(true);
  expect(proxy.connections).toBe(1);
});

test("in a black direction nothing passes; afterwards all of it does, in order", async () => {
  client.write("a");
  await expect.poll(text).toBe("a");
  proxy.set("up", { isBlack: true });
  client.write("b");
  const other = connect({ host: "127.0.0.1", port: proxy.port });
  other.on("error", () => {});
  await once(other, "connect"); // What was written before has reached the proxy by now.
  expect(text()).toBe("a");
  proxy.set("up", { isBlack: false });
  await expect.poll(text).toBe("ab");
  other.destroy();
});

test("a black direction hides that the other side is gone", async () => {
  client.write("a");
  await expect.poll(text).toBe("a");
  const end = closed(client);
  proxy.set("down", { isBlack: true });
  accepted[0]!.destroy();
  const other = connect({ host: "127.0.0.1", port: proxy.port });
  other.on("error", () => {});
  await once(other, "connect"); // The proxy has heard of the end by now.
  expect(client.closed).toBe(false);
  proxy.heal();
  expect(await end).toBe("closed");
  other.destroy();
});

test("latency delays each chunk by what it was told, and keeps their order", async () => {
  proxy.set("down", { delayMs: 60, jitterMs: 40 });
  const sentMs = performance.now();
  for (const letter of "abcdef") client.write(letter);
  await expect.poll(text).toBe("abcdef");
  expect(performance.now() - sentMs).toBeGreaterThanOrEqual(60);
});

test("flipped bits change single bits and no lengths", async () => {
  proxy.set("down", { flipOneIn: 1 });
  client.write(Buffer.alloc(64));
  await expect.poll(() => heard.length).toBe(64);
  const bits = [...heard].reduce(
    (sum, byte) => sum + byte.toString(2).replaceAll("0", "").length,
    0,
  );
  expect(bits).toBeGreaterThan(0);
  expect(bits).toBeLessThanOrEqual(64);
});

test("a reset ends both sides; refused connections are reset until it is healed", async () => {
  client.write("a");
  await expect.poll(text).toBe("a");
  proxy.refuse(true);
  proxy.reset();
  await closed(client);
  const refused = connect({ host: "127.0.0.1", port: proxy.port });
  refused.on("error", () => {});
  await closed(refused);
  expect(proxy.connections).toBe(0);
  proxy.heal();
  client = await open();
  client.write("b");
  await expect.poll(text).toBe("b");
});
