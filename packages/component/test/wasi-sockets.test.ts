import { createSocket } from "node:dgram";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { compileC, noClang } from "./wasi-guests.ts";
import { eventually, openGuest } from "./wasi-run.ts";

describe.skipIf(noClang !== undefined)("a guest with sockets", () => {
  let guest: Awaited<ReturnType<typeof compileC>>;
  beforeAll(async () => {
    guest = await compileC("wasi-sockets");
  });

  /** Answers in capitals once the client has said everything. */
  async function shouter() {
    const open = new Set<Socket>();
    let accepted = 0;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted += 1;
      open.add(socket);
      let said = "";
      socket.on("data", (data: Buffer) => (said += data.toString()));
      socket.on("end", () => {
        if (said !== "silence") socket.end(said.toUpperCase());
      });
      socket.on("error", () => {});
      socket.on("close", () => open.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      port: (server.address() as AddressInfo).port,
      open: () => open.size,
      /** Writes to all: what is not there any more answers with a reset. */
      poke: () => {
        for (const socket of open) socket.write("?");
      },
      accepted: () => accepted,
      [Symbol.asyncDispose]: async () => {
        for (const socket of open) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  const resolve = async () => ["127.0.0.1"];

  test("connects to an endpoint that is named, and talks", async () => {
    await using server = await shouter();
    const allowTcp = [{ to: `echo.example:${server.port}`, allowPrivate: true }];
    await using client = await openGuest(guest, { resolve, wasi: { allowTcp } });
    expect(await client.run("lookup echo.example")).toBe("127.0.0.1");
    expect(await client.run(`tcp echo.example ${server.port} hello`)).toBe("HELLO");
    await eventually(server.open).toBe(0);
  });

  test("is denied everything else: other names, other ports, private addresses, listening", async () => {
    await using server = await shouter();
    await using other = await shouter();
    const asked: string[] = [];
    await using client = await openGuest(guest, {
      resolve: async (host) => {
        asked.push(host);
        return resolve();
      },
      wasi: {
        allowTcp: [
          { to: `echo.example:${server.port}`, allowPrivate: true },
          `public.example:${server.port}`,
        ],
      },
    });
    const denied = "error: access-denied";
    expect(await client.run("lookup elsewhere.example")).toBe(denied);
    expect(await client.run("lookup public.example")).toBe("error: name-unresolvable");
    expect(await client.run(`tcp 127.0.0.1 ${server.port} hello`)).toBe(denied);
    expect(await client.run(`tcp echo.example ${other.port} hello`)).toBe(denied);
    expect(await client.run(`tcp 10.0.0.1 ${server.port} hello`)).toBe(denied);
    expect(await client.run("listen x")).toBe(denied);
    expect(await client.run(`udp echo.example ${server.port} hello`)).toBe(denied);
    expect(asked).not.toContain("elsewhere.example");
    expect(server.accepted() + other.accepted()).toBe(0);
  });

  test("by default no name is even looked up", async () => {
    const asked: string[] = [];
    await using client = await openGuest(guest, {
      resolve: async (host) => {
        asked.push(host);
        return resolve();
      },
    });
    expect(await client.run("lookup echo.example")).toBe("error: access-denied");
    expect(asked).toEqual([]);
  });

  test("a refused connection is an answer", async () => {
    const gone = await shouter();
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    const allowTcp = [{ to: `127.0.0.1:${port}`, allowPrivate: true }];
    await using client = await openGuest(guest, { wasi: { allowTcp } });
    expect(await client.run(`tcp 127.0.0.1 ${port} hello`)).toBe("error: connection-refused");
  });

  test("datagrams go to and come from the endpoint that is named", async () => {
    const server = createSocket("udp4");
    server.on("message", (data, { address, port }) =>
      server.send(data.toString().toUpperCase(), port, address),
    );
    await new Promise<void>((done) => server.bind(0, "127.0.0.1", done));
    const { port } = server.address();
    const allowUdp = [{ to: `127.0.0.1:${port}`, allowPrivate: true }];
    await using client = await openGuest(guest, { wasi: { allowUdp } });
    expect(await client.run(`udp 127.0.0.1 ${port} hello`)).toBe("HELLO");
    expect(await client.run(`tcp 127.0.0.1 ${port} hello`)).toBe("error: access-denied");
    server.close();
  });

  test("an instance that ends takes its connection along", async () => {
    await using server = await shouter();
    const allowTcp = [{ to: `127.0.0.1:${server.port}`, allowPrivate: true }];
    const client = await openGuest(guest, { wasi: { allowTcp } });
    const talk = client
      .run(`tcp 127.0.0.1 ${server.port} silence`)
      .catch((thrown: unknown) => thrown);
    await eventually(server.open).toBe(1);
    await client.end();
    expect(await talk).toBeInstanceOf(Error);
    const stillOpen = (): number => {
      server.poke();
      return server.open();
    };
    await eventually(stillOpen).toBe(0);
  });
});
