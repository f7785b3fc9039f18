import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { FaultEvent } from "../src/history.ts";
import { ServerStallWatch } from "../src/real/server-stall-watch.ts";

/** What a server says to pings, which may be held back; and what the watch makes of it. */
async function watched() {
  let isHeld = false;
  let answers = 0;
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write('INFO {"server_id":"test"}\r\n');
    socket.on("data", (bytes) => {
      if (!bytes.toString().includes("PING")) return;
      const answer = (): void => {
        answers += 1;
        socket.write("PONG\r\n");
      };
      if (isHeld) waiting.push(answer);
      else answer();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stalls: FaultEvent[] = [];
  const time = { nowMs: 0 };
  const watch = new ServerStallWatch({
    servers: [{ name: "nats-1", port: (server.address() as AddressInfo).port }],
    now: () => time.nowMs,
    onStall: (event) => stalls.push(event),
  });
  onTestFinished(() => {
    watch.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await expect.poll(() => answers).toBeGreaterThan(1);
  const hold = async (): Promise<void> => {
    isHeld = true;
    await expect.poll(() => waiting.length).toBe(1);
  };
  const letGo = (): void => {
    isHeld = false;
    for (const answer of waiting.splice(0)) answer();
  };
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return { watch, stalls, time, hold, letGo, drop, answers: () => answers };
}

test("an answer that takes longer than a heartbeat may is a stall of that server, from the question on", async () => {
  const { watch, stalls, time, hold, letGo, answers } = await watched();
  expect(stalls).toEqual([]);
  time.nowMs = 1_000;
  await hold();
  time.nowMs = 1_600;
  expect(watch.sinceMs).toBe(1_000);
  const before = answers();
  letGo();
  await expect.poll(answers).toBeGreaterThan(before + 1);
  expect(stalls).toEqual([
    { type: "fault", kind: "stall", targets: ["nats-1"], atMs: 1_000, untilMs: 1_600 },
  ]);
});

test("a connection that is gone is none, and there is another one soon", async () => {
  const { watch, stalls, time, hold, letGo, drop, answers } = await watched();
  time.nowMs = 1_000;
  await hold();
  time.nowMs = 9_000;
  drop();
  await expect.poll(() => watch.sinceMs).toBe(Infinity);
  const before = answers();
  letGo();
  await expect.poll(answers).toBeGreaterThan(before + 2);
  expect(stalls).toEqual([]);
});
