import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { simulatedClock } from "@coppice/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { buildTimeoutMs } from "./chat-room.ts";
import { compileJs } from "./wasi-guests.ts";
import { eventually, type Guest, openGuest } from "./wasi-run.ts";

let guest: Awaited<ReturnType<typeof compileJs>>;
beforeAll(async () => {
  guest = await compileJs("wasi-js");
}, buildTimeoutMs);

interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly origin: string;
  /** `method path` of what arrived. */
  readonly seen: string[];
  readonly connections: () => Promise<number>;
}

/** A server on loopback. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  host = "127.0.0.1",
): Promise<TestServer> {
  const seen: string[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    seen,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What the guest's `fetch` found. */
async function fetchBy(guest: Guest, url: string, rest: object = {}) {
  return JSON.parse(await guest.run(JSON.stringify({ op: "fetch", url, ...rest }))) as {
    readonly error?: string;
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
}

const privately = (to: string) => ({ to, allowPrivate: true });

describe("a guest that fetches", () => {
  test("reaches an origin that is named, and no other", async () => {
    await using named = await serve((request, response) => {
      response.setHeader("x-host", request.headers.host ?? "");
      response.end("hello");
    });
    await using other = await serve((_, response) => response.end("secret"));
    await using client = await openGuest(guest, { wasi: { allowHttp: [privately(named.origin)] } });
    const answer = await fetchBy(client, `${named.origin}/a?b=1`);
    expect(answer).toMatchObject({ status: 200, body: "hello" });
    expect(answer.headers?.["x-host"]).toBe(`127.0.0.1:${named.port}`);
    for (const url of [other.origin, `http://localhost:${named.port}/`, "https://example.com/"])
      expect(await fetchBy(client, url)).toHaveProperty("error");
    expect(named.seen).toEqual(["GET /a?b=1"]);
    expect(other.seen).toEqual([]);
  });

  test("reaches nothing by default, nor a private address that is only named", async () => {
    await using server = await serve((_, response) => response.end("secret"));
    await using closed = await openGuest(guest);
    expect(await fetchBy(closed, server.origin)).toHaveProperty("error");
    const resolve = async () => ["127.0.0.1"];
    const allowHttp = [server.origin, `http://inside.example:${server.port}`];
    await using client = await openGuest(guest, { resolve, wasi: { allowHttp } });
    expect(await fetchBy(client, server.origin)).toHaveProperty("error");
    expect(await fetchBy(client, allowHttp[1]!)).toHaveProperty("error");
    expect(server.seen).toEqual([]);
  });

  test("a redirect is an answer: the host does not follow it", async () => {
    await using inside = await serve((_, response) => response.end("secret"));
    await using server = await serve((_, response) => {
      response.writeHead(302, { location: `${inside.origin}/metadata` });
      response.end();
    });
    await using client = await openGuest(guest, {
      wasi: { allowHttp: [privately(server.origin)] },
    });
    expect(await fetchBy(client, server.origin)).toMatchObject({ status: 302, body: "" });
    expect(inside.seen).toEqual([]);
  });

  test("a name is resolved once for each request, and the connection goes to that address", async () => {
    await using server = await serve((request, response) => {
      response.end(`${request.socket.localAddress} for ${request.headers.host}`);
    }, "0.0.0.0");
    const answers = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return [answers[asked.length - 1]!];
    };
    const origin = `http://api.example:${server.port}`;
    await using client = await openGuest(guest, {
      resolve,
      wasi: { allowHttp: [privately(origin)] },
    });
    for (const [index, address] of answers.entries()) {
      const { body } = await fetchBy(client, origin);
      expect(body).toBe(`${address} for api.example:${server.port}`);
      expect(asked.length).toBe(index + 1);
    }
  });

  test("bodies arrive whole both ways, however large", async () => {
    await using server = await serve((request, response) => {
      request.pipe(response);
    });
    await using client = await openGuest(guest, {
      wasi: { allowHttp: [privately(server.origin)] },
    });
    const body = "0123456789".repeat(100_000);
    const answer = await fetchBy(client, server.origin, { method: "POST", body });
    expect(answer.status).toBe(200);
    expect(answer.body === body).toBe(true);
  });

  test("a response larger than allowed fails, and its connection closes", async () => {
    await using server = await serve((_, response) => response.end("x".repeat(100_000)));
    await using client = await openGuest(guest, {
      wasi: {
        allowHttp: [privately(server.origin)],
        httpLimits: { responseBytesMax: 50_000 },
      },
    });
    expect(await fetchBy(client, server.origin)).toHaveProperty("error");
    await eventually(server.connections).toBe(0);
    expect(client.timers()).toBe(0);
  });

  test("a server that never answers is given up after the time allowed", async () => {
    await using server = await serve(() => {});
    const clock = simulatedClock();
    await using client = await openGuest(guest, {
      clock,
      wasi: { allowHttp: [privately(server.origin)], httpLimits: { timeoutMs: 10_000 } },
    });
    const answer = fetchBy(client, server.origin);
    await eventually(() => server.seen.length).toBe(1);
    await clock.advance(9_999);
    expect(await server.connections()).toBe(1);
    await clock.advance(1);
    expect(await answer).toHaveProperty("error");
    await eventually(server.connections).toBe(0);
  });

  test("no more requests at once than allowed", async () => {
    const held: ServerResponse[] = [];
    await using server = await serve((_, response) => {
      held.push(response);
      if (held.length === 2) for (const each of held) each.end("held");
    });
    await using client = await openGuest(guest, {
      wasi: { allowHttp: [privately(server.origin)], httpLimits: { concurrentMax: 2 } },
    });
    const urls = [1, 2, 3].map((each) => `${server.origin}/${each}`);
    const answers = JSON.parse(
      await client.run(JSON.stringify({ op: "fetchMany", urls })),
    ) as string[];
    expect(answers.filter((each) => each === "held").length).toBe(2);
    expect(answers[2]).not.toBe("held");
    expect(server.seen.length).toBe(2);
  });

  test("while it waits for a server, another instance runs", async () => {
    const gate = Promise.withResolvers<ServerResponse>();
    await using server = await serve((_, response) => gate.resolve(response));
    const wasi = { allowHttp: [privately(server.origin)] };
    await using waiting = await openGuest(guest, { wasi });
    await using other = await openGuest(guest, { wasi });
    const answer = fetchBy(waiting, server.origin);
    const response = await gate.promise;
    expect(JSON.parse(await other.run('{"op":"wait","ms":1}'))).toMatchObject({ ready: [1] });
    response.end("at last");
    expect(await answer).toMatchObject({ body: "at last" });
  });

  test("an instance that ends takes its connections and timers along", async () => {
    await using server = await serve((_, response) => response.write("begun, "));
    const client = await openGuest(guest, { wasi: { allowHttp: [privately(server.origin)] } });
    const answer = fetchBy(client, server.origin).catch((thrown: unknown) => thrown);
    await eventually(() => server.seen.length).toBe(1);
    await client.end();
    expect(await answer).toBeInstanceOf(Error);
    await eventually(server.connections).toBe(0);
    expect(client.timers()).toBe(0);
  });
});

describe("a guest in JavaScript", () => {
  test("waits, keeps time and draws random numbers through WASI", async () => {
    await using script = await openGuest(guest);
    const { ready, ms } = JSON.parse(await script.run('{"op":"wait","ms":20}')) as {
      readonly ready: number[];
      readonly ms: number;
    };
    expect(ready).toEqual([1]);
    expect(ms).toBeGreaterThanOrEqual(20);
    const fired = JSON.parse(await script.run('{"op":"timers","ms":5}')) as number[];
    expect(fired.toSorted((a, b) => a - b)).toEqual([5, 10]); // On a busy machine both are due at once.
    const draws = [await script.run('{"op":"random"}'), await script.run('{"op":"random"}')];
    expect(draws[0]).not.toBe(draws[1]);
    expect(script.timers()).toBe(0);
  });

  test("traps when it hoards handles", async () => {
    await using hoarder = await openGuest(guest);
    expect(await hoarder.run('{"op":"hoard","count":9000}')).toBe("9000");
    const call = hoarder.run('{"op":"hoard","count":2000}');
    await expect(call).rejects.toThrow("holds 10000 WASI handles, which is the most it may");
  });
});
