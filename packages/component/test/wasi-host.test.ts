import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { silentLogger, systemClock, systemRandom } from "@coppice/kernel";
import { describe, expect, test } from "vitest";
import type { FieldsBase } from "../src/wasi/http/fields.ts";
import type { FutureIncomingResponse, IncomingBody } from "../src/wasi/http/incoming.ts";
import type { OutgoingBody, OutgoingRequestBase } from "../src/wasi/http/outgoing.ts";
import type { Pollable } from "../src/wasi/poll.ts";
import { createWasi, type WasiHost, type WasiOptions } from "../src/wasi/wasi.ts";
import { eventually } from "./wasi-run.ts";

/** A key and a certificate that it signed itself, for `api.example`. */
const pem = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXTvOi2WraGJJu5ab
DwihcqFhTyyyrZxSQBRGhmjnK/uhRANCAAR96ZOm+EtkrLoRLStJA5Cxf/DsNcBu
CNrfUI+APHyRmuZI78JqqyaRjqDpLsW6Jv13cJOhpuwf1/kD2r69i8pi
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBgjCCASmgAwIBAgIUCVlymN5YWWFeS3WapfeSEcxtFz8wCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLYXBpLmV4YW1wbGUwIBcNMjYxMTI1MDMxNzQyWhgPMjEyNjEx
MDEwMzE3NDJaMBYxFDASBgNVBAMMC2FwaS5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEfemTpvhLZKy6ES0rSQOQsX/w7DXAbgja31CPgDx8kZrmSO/C
aqsmkY6g6S7Fuib9d3CToabsH9f5A9q+vYvKYqNTMFEwHQYDVR0OBBYEFE3eG47x
FTrCrUP2nudhf3y6TPUkMB8GA1UdIwQYMBaAFE3eG47xFTrCrUP2nudhf3y6TPUk
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgJYiaM6RrdGcjK3p1
RpEQNdt27dYvNZPjEpJEl98j0JcCIHm+mCUW3cNl0zTqrr7iP2ls2YnQlrKSl1eX
2aP4ks3M
-----END CERTIFICATE-----
`;

/** What a guest would link, called as a guest's bindings would. */
interface HttpImports {
  readonly Fields: {
    new (): FieldsBase & { readonly clone: () => FieldsBase };
    readonly fromList: (
      entries: readonly [string, Uint8Array][],
    ) => InstanceType<HttpImports["Fields"]>;
  };
  readonly OutgoingRequest: new (headers: FieldsBase) => OutgoingRequestBase;
  readonly OutgoingBody: typeof OutgoingBody;
  readonly IncomingBody: typeof IncomingBody;
}

async function world(options: WasiOptions, host: Partial<WasiHost> = {}) {
  const wasi = await createWasi(options, {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onOutput: () => {},
    onExit: () => {},
    ...host,
  });
  const types = wasi.imports["wasi:http/types"] as unknown as HttpImports;
  const { handle } = wasi.imports["wasi:http/outgoing-handler"] as {
    readonly handle: (request: OutgoingRequestBase) => FutureIncomingResponse;
  };
  const { poll } = wasi.imports["wasi:io/poll"] as {
    readonly poll: (pollables: readonly Pollable[]) => Promise<number[]>;
  };
  const request = (url: string, headers = new types.Fields()) => {
    const { protocol, host: authority, pathname } = new URL(url);
    const made = new types.OutgoingRequest(headers);
    made.setScheme({ tag: protocol === "https:" ? "HTTPS" : "HTTP" });
    made.setAuthority(authority);
    made.setPathWithQuery(pathname);
    return made;
  };
  const outcome = async (future: FutureIncomingResponse) => {
    const ready = future.subscribe();
    await poll([ready]);
    ready[Symbol.dispose]();
    const answer = future.get() as {
      readonly val: { readonly tag: string; readonly val: unknown };
    };
    return answer.val;
  };
  return { wasi, types, handle, request, outcome, [Symbol.asyncDispose]: wasi.dispose };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("what a guest is told of a request that fails", () => {
  test("denied before anything is looked up or connected to", async () => {
    await using closed = await world(
      { allowHttp: ["https://api.example"] },
      { resolve: () => Promise.reject(new Error("nothing may be resolved")) },
    );
    for (const url of [
      "http://api.example/",
      "https://api.example:444/",
      "https://api.example.evil/",
    ])
      expect(() => closed.handle(closed.request(url))).toThrow(
        expect.objectContaining({ payload: { tag: "HTTP-request-denied" } }),
      );
    expect(closed.wasi.handles()).toBe(0);
  });

  test.for([
    [["10.0.0.1", "169.254.169.254", "::1"], { tag: "destination-IP-prohibited" }],
    [[], { tag: "destination-IP-prohibited" }],
  ] as const)("an origin that resolves to %j: %j", async ([addresses, code]) => {
    await using named = await world(
      { allowHttp: ["https://api.example"] },
      { resolve: async () => addresses },
    );
    const future = named.handle(named.request("https://api.example/"));
    expect(await named.outcome(future)).toEqual({ tag: "err", val: code });
  });

  test("a name that does not resolve, a connection that is refused", async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const origins = ["http://gone.example", { to: `http://127.0.0.1:${port}`, allowPrivate: true }];
    await using named = await world(
      { allowHttp: origins },
      { resolve: () => Promise.reject(new Error("ENOTFOUND")) },
    );
    const unresolved = named.handle(named.request("http://gone.example/"));
    expect(await named.outcome(unresolved)).toEqual({
      tag: "err",
      val: { tag: "DNS-error", val: {} },
    });
    const refused = named.handle(named.request(`http://127.0.0.1:${port}/`));
    expect(await named.outcome(refused)).toEqual({
      tag: "err",
      val: { tag: "connection-refused" },
    });
  });

  test("a server whose certificate nobody vouches for is not talked to", async () => {
    let asked = false;
    const server = createTlsServer({ key: pem, cert: pem }, (_, response) => {
      asked = true;
      response.end();
    });
    const port = await listening(server);
    const origin = `https://api.example:${port}`;
    await using named = await world(
      { allowHttp: [{ to: origin, allowPrivate: true }] },
      { resolve: async () => ["127.0.0.1"] },
    );
    const future = named.handle(named.request(origin));
    expect(await named.outcome(future)).toEqual({
      tag: "err",
      val: { tag: "TLS-certificate-error" },
    });
    expect(asked).toBe(false);
    server.close();
  });
});

test("the operator is told what was denied, and not flooded with it", async () => {
  const warned: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message: string) => warned.push(message) };
  await using closed = await world({}, { logger });
  for (let attempt = 0; attempt < 100; attempt += 1)
    expect(() => closed.handle(closed.request("https://api.example/"))).toThrow();
  expect(warned.length).toBe(20);
  const line = "a component was denied an HTTP request to api.example: see allowHttp";
  expect(warned[0]).toBe(line);
  expect(warned.at(-1)).toBe(`${line}; no more of its denials are logged`);
});

describe("headers", () => {
  test.for([
    ["host", "x", "forbidden"],
    ["Connection", "close", "forbidden"],
    ["transfer-encoding", "chunked", "forbidden"],
    ["bad name", "x", "invalid-syntax"],
    ["", "x", "invalid-syntax"],
    ["x-a", "a\r\nhost: evil", "invalid-syntax"],
    ["x-a", "a\0", "invalid-syntax"],
    ["x-a", "x".repeat(70_000), "forbidden"],
  ] as const)("%j: %s is refused: %s", async ([name, value, tag]) => {
    await using any = await world({});
    const error = expect.objectContaining({ payload: { tag } });
    expect(() => new any.types.Fields().append(name, bytes(value))).toThrow(error);
    expect(() => any.types.Fields.fromList([[name, bytes(value)]])).toThrow(error);
  });

  test("names have no case, values keep their order, copies are apart", async () => {
    await using any = await world({});
    const fields = new any.types.Fields();
    fields.append("X-A", bytes("1"));
    fields.append("x-a", bytes("2"));
    const copy = fields.clone();
    fields.set("x-A", [bytes("3")]);
    expect(fields.get("X-a")).toEqual([bytes("3")]);
    expect(copy.get("x-a")).toEqual([bytes("1"), bytes("2")]);
    copy.delete("X-A");
    expect(copy.has("x-a")).toBe(false);
  });
});

describe("a request's body", () => {
  /** Says what arrived, or how it ended. */
  async function receiving() {
    const begun = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<string>();
    const server = createServer((request, response) => {
      let body = "";
      begun.resolve();
      request.on("data", (data: Buffer) => (body += data.toString()));
      request.on("error", () => arrived.resolve("broken off"));
      request.on("end", () => {
        const { "transfer-encoding": coding = "-", "content-length": length = "-" } =
          request.headers;
        arrived.resolve(
          `${request.method} ${coding} ${length} ${body} ${JSON.stringify(request.trailers)}`,
        );
        response.setHeader("trailer", "x-sum");
        response.write("fine");
        response.addTrailers({ "x-sum": "7" });
        response.end();
      });
    });
    const origin = `http://127.0.0.1:${await listening(server)}`;
    return {
      origin,
      begun: begun.promise,
      arrived: arrived.promise,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  const allowing = (origin: string) => world({ allowHttp: [{ to: origin, allowPrivate: true }] });

  test("goes out in chunks with trailers, and the response's trailers come back", async () => {
    await using server = await receiving();
    await using client = await allowing(server.origin);
    const request = client.request(server.origin);
    request.setMethod({ tag: "get" }); // Also where a body is unusual.
    const body = request.body();
    const out = body.write();
    const future = client.handle(request);
    await out.blockingWriteAndFlush(bytes("hello "));
    await out.blockingWriteAndFlush(bytes("world"));
    out[Symbol.dispose]();
    const trailers = client.types.Fields.fromList([["x-check", bytes("1")]]);
    client.types.OutgoingBody.finish(body, trailers);
    expect(await server.arrived).toBe('GET chunked - hello world {"x-check":"1"}');
    const { val: response } = (await client.outcome(future)) as {
      readonly val: { readonly status: () => number; readonly consume: () => IncomingBody };
    };
    expect(response.status()).toBe(200);
    const incoming = response.consume();
    const input = incoming.stream();
    expect(await input.blockingRead(100n)).toEqual(Buffer.from("fine"));
    await expect(input.blockingRead(100n)).rejects.toMatchObject({ payload: { tag: "closed" } });
    const { val } = client.types.IncomingBody.finish(incoming).get() as {
      readonly val: { readonly val: FieldsBase };
    };
    expect(val.val.get("x-sum")).toEqual([Buffer.from("7")]);
  });

  test("dropped before its end breaks the request off rather than look complete", async () => {
    await using server = await receiving();
    await using client = await allowing(server.origin);
    const request = client.request(server.origin);
    const body = request.body();
    const out = body.write();
    const future = client.handle(request);
    await out.blockingWriteAndFlush(bytes("half of"));
    await server.begun;
    body[Symbol.dispose]();
    expect(await client.outcome(future)).toMatchObject({ tag: "err" });
    expect(await server.arrived).toBe("broken off");
  });

  test.for([[["4", "5"]], [["4, 5"]], [["-1"]], [["0x10"]], [["1e3"]], [[""]]] as const)(
    "whose content-length is %j is refused: two readers could see its end at different places",
    async ([lengths]) => {
      await using client = await allowing("http://api.example");
      const headers = client.types.Fields.fromList(
        lengths.map((length): [string, Uint8Array] => ["content-length", bytes(length)]),
      );
      const request = client.request("http://api.example/", headers);
      expect(() => request.body()).toThrow(expect.objectContaining({ payload: undefined }));
      expect(() => client.handle(request)).toThrow(
        expect.objectContaining({ payload: { tag: "HTTP-protocol-error" } }),
      );
    },
  );

  test("shorter than its content-length is an error, longer is not sent", async () => {
    await using server = await receiving();
    await using client = await allowing(server.origin);
    const headers = () => client.types.Fields.fromList([["content-length", bytes("4")]]);
    const short = client.request(server.origin, headers()).body();
    await short.write().blockingWriteAndFlush(bytes("abc"));
    expect(() => client.types.OutgoingBody.finish(short, undefined)).toThrow(
      expect.objectContaining({ payload: { tag: "HTTP-request-body-size", val: 3n } }),
    );
    const long = client.request(server.origin, headers()).body();
    await expect(long.write().blockingWriteAndFlush(bytes("abcde"))).rejects.toMatchObject({
      payload: { tag: "last-operation-failed" },
    });
  });
});

test("names are resolved a few at a time", async () => {
  const gate = Promise.withResolvers<readonly string[]>();
  await using any = await world({ allowTcp: ["db.example:5432"] }, { resolve: () => gate.promise });
  const { resolveAddresses } = any.wasi.imports["wasi:sockets/ip-name-lookup"] as {
    readonly resolveAddresses: (network: unknown, name: string) => Pollable;
  };
  for (let at = 0; at < 4; at += 1) resolveAddresses(undefined, "db.example");
  expect(() => resolveAddresses(undefined, "db.example")).toThrow(
    expect.objectContaining({ payload: "temporary-resolver-failure" }),
  );
  gate.resolve(["1.1.1.1"]);
  await gate.promise;
  await eventually(() => resolveAddresses(undefined, "db.example")).toHaveProperty(
    "resolveNextAddress",
  );
});

test("every handle is given back at the end, whatever was open", async () => {
  const any = await world({ stdin: "x" });
  const { subscribeDuration } = any.wasi.imports["wasi:clocks/monotonic-clock"] as {
    readonly subscribeDuration: (ns: bigint) => Pollable;
  };
  const waiting = subscribeDuration(10n ** 15n).block();
  any.types.Fields.fromList([]);
  expect(any.wasi.handles()).toBe(2);
  const settled = expect(waiting).rejects.toMatchObject({ code: "wasi_ended" });
  await any.wasi.dispose();
  await settled;
  expect(any.wasi.handles()).toBe(0);
  expect(() => subscribeDuration(1n)).toThrow("the component has ended");
});
