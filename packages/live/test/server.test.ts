import { PortInUseError } from "@coppice/live";
import { localNames } from "@coppice/otp";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Rendering } from "../src/view-process.ts";
import { startSite } from "./site.ts";

type Message = Rendering & { crash?: true };

/** A browser's half of the protocol: gets the page, joins, and hands out what arrives. */
async function browse(url: string, path = "/counter") {
  const response = await fetch(url + path);
  const body = await response.text();
  const cookie = response.headers.get("set-cookie")!.split(";")[0]!;
  const token = /data-token="([^"]+)"/.exec(body)![1]!;
  const socket = new WebSocket(`${url.replace("http", "ws")}/live/socket`, {
    headers: { cookie, origin: url },
  });
  const arrived: Message[] = [];
  let wake = Promise.withResolvers<void>();
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  socket.on("message", (data: Buffer) => {
    arrived.push(JSON.parse(data.toString()) as Message);
    wake.resolve();
    wake = Promise.withResolvers();
  });
  await new Promise((resolve) => socket.on("open", resolve));
  const next = async (): Promise<Message> => {
    while (arrived.length === 0) await wake.promise;
    return arrived.shift()!;
  };
  const send = (message: unknown): void => socket.send(JSON.stringify(message));
  const join = (withToken = token): void => send({ type: "join", path, token: withToken });
  return { status: response.status, body, socket, next, send, join, closed };
}

describe("pages", () => {
  test("the first rendering is plain HTML with its state, and safe headers", async () => {
    const { url } = await startSite();
    const response = await fetch(`${url}/counter`);
    expect(await response.text()).toContain('<p id="count">0</p>');
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect((await fetch(`${url}/`, { redirect: "manual" })).headers.get("location")).toBe(
      "/counter",
    );
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    expect((await fetch(`${url}/counter`, { method: "POST" })).status).toBe(405);
    for (const asset of ["client.ts", "tree.ts", "morphdom.js", "live.css"])
      expect((await fetch(`${url}/live/${asset}`)).status).toBe(200);
  });

  test("a view that cannot mount is a page that says so", async () => {
    const { url, logs } = await startSite();
    const { status, body } = await browse(url, "/broken");
    expect(status).toBe(500);
    expect(body).toContain("not available right now");
    expect(body).not.toContain("no database");
    expect(logs).toContainEqual(expect.objectContaining({ event: "mount_failed" }));
  });

  test("a port in use is an error that names it", async () => {
    const { url, kernel } = await startSite();
    const { liveServer } = await import("@coppice/live");
    const port = Number(new URL(url).port);
    const second = liveServer({
      id: "second",
      node: {
        name: "a",
        kernel,
        clock: kernel.clock,
        random: kernel.random,
        logger: kernel.logger,
        pubsub: { subscribe: () => {} },
      },
      port,
      views: {},
      home: "/",
      appTitle: "x",
      secret: "x",
    });
    if (typeof second.start !== "function") throw new Error("unexpected");
    const result = await second.start({}, { kernel, names: localNames });
    expect(result).toMatchObject({ type: "failed", reason: { error: { code: "port_in_use" } } });
    expect(new PortInUseError("127.0.0.1", port).message).toContain(
      `port ${port} of 127.0.0.1 is in use`,
    );
  });
});

describe("a connected browser", () => {
  test("gets the whole view once, then only what changes", async () => {
    const { url } = await startSite();
    const { join, next, send } = await browse(url);
    join();
    const first = await next();
    expect(Object.keys(first.s!)).toHaveLength(1);
    send({ type: "event", id: 1, name: "add", value: { by: "5" } });
    expect(await next()).toEqual({ r: { p: { 0: { r: "5" } } }, ack: 1 });
  });

  test("gets what is broadcast", async () => {
    const { url, kernel, subscribers } = await startSite();
    const { join, next } = await browse(url);
    join();
    await next();
    kernel.send(subscribers.at(-1)!, "<news>");
    expect(JSON.stringify(await next())).toContain("&lt;news&gt;");
  });

  test("is told of a crash, can join again, and starts from the beginning", async () => {
    const { url, logs } = await startSite();
    const one = await browse(url);
    one.join();
    await one.next();
    one.send({ type: "event", id: 1, name: "crash", value: {} });
    expect(await one.next()).toEqual({ crash: true });
    expect(await one.closed).toBe(4002);
    expect(logs).toContainEqual(expect.objectContaining({ event: "crash", kind: "live-view" }));
    const two = await browse(url);
    two.join();
    expect(JSON.stringify((await two.next()).r)).toContain('"0"');
  });

  test("that leaves takes its process with it", async () => {
    const { url, kernel, views } = await startSite();
    const { join, next, socket } = await browse(url);
    join();
    await next();
    const [pid] = views();
    const ended = new Promise((resolve) => kernel.monitor(pid!, resolve));
    socket.close();
    expect(await ended).toEqual({ type: "shutdown" });
  });

  test("is sent away, and its process ends, when the server ends", async () => {
    const { url, kernel, stop } = await startSite();
    const { join, next, closed } = await browse(url);
    join();
    await next();
    await stop();
    expect(await closed).toBe(1001);
    expect(kernel.processes()).toEqual([]);
  });
});

describe("an attacker", () => {
  test("from another site gets no socket", async () => {
    const { url } = await startSite();
    for (const origin of ["http://evil.example", "null", undefined]) {
      const headers = origin === undefined ? {} : { origin };
      const socket = new WebSocket(`${url.replace("http", "ws")}/live/socket`, { headers });
      const status = await new Promise((resolve) => {
        socket.on("unexpected-response", (_, response) => resolve(response.statusCode));
      });
      expect(status).toBe(403);
    }
  });

  test("with a forged token is told to reload", async () => {
    const { url, views } = await startSite();
    const { join, closed } = await browse(url);
    join(`${(Date.now() + 1e6).toString(36)}.forged`);
    expect(await closed).toBe(4001);
    expect(views()).toEqual([]);
  });

  test.for([
    ["no JSON", "{", 4004],
    ["a value that is no text", '{"type":"event","id":1,"name":"add","value":{"by":1}}', 4004],
    ["too large a message", JSON.stringify({ type: "ping", pad: "x".repeat(70_000) }), 1009],
  ] as const)("with %s is disconnected", async ([, text, code]) => {
    const { url } = await startSite();
    const { join, next, socket, closed } = await browse(url);
    join();
    await next();
    socket.send(text);
    expect(await closed).toBe(code);
  });

  test("with too many events is disconnected", async () => {
    const { url } = await startSite();
    const { join, next, send, closed } = await browse(url);
    join();
    await next();
    for (let id = 0; id < 200; id += 1) send({ type: "event", id, name: "add", value: {} });
    expect(await closed).toBe(4003);
  });
});
