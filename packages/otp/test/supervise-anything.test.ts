import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { functionChild, localNames, osProcess, serverChild, workerChild } from "@coppice/otp";
import { describe, expect, test } from "vitest";
import { superviseChildren } from "./kernel.ts";

/** A zombie, ended and not yet collected by its parent, does not run. */
function isRunning(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, "utf8"));
}

describe("a function as a child", () => {
  test("that returns is done and is not started again", async () => {
    let runs = 0;
    const { rows, kernel } = await superviseChildren(
      functionChild({
        id: "once",
        run: async () => {
          runs += 1;
        },
      }),
    );
    await expect.poll(async () => (await rows())[0]!.state).toBe("stopped");
    expect([runs, kernel.processes().length]).toEqual([1, 1]);
  });

  test("that throws is reported and started again", async () => {
    let runs = 0;
    const { rows, logged } = await superviseChildren(
      functionChild({
        id: "second try",
        run: async ({ signal }) => {
          runs += 1;
          if (runs === 1) throw new Error("not yet");
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
      }),
    );
    expect(await logged(({ event }) => event === "crash")).toMatchObject({ kind: "function" });
    await expect
      .poll(async () => (await rows())[0])
      .toMatchObject({ state: "running", restarts: 1 });
    expect(runs).toBe(2);
  });

  test("is told to stop by its signal", async () => {
    const stopped = Promise.withResolvers<string>();
    const { stop } = await superviseChildren(
      functionChild({
        id: "listener",
        run: async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          stopped.resolve("stopped");
        },
      }),
    );
    await Promise.resolve();
    await stop();
    expect(await stopped.promise).toBe("stopped");
  });
});

describe("a program as a child", () => {
  test("logs its lines, and its status and last words are the reason it ended", async () => {
    const { logged } = await superviseChildren(
      osProcess({
        id: "failing",
        restart: "temporary",
        command: "/bin/sh",
        args: ["-c", "echo out; echo bad luck >&2; exit 3"],
      }),
    );
    expect(await logged(({ line }) => line === "out")).toMatchObject({ stream: "stdout" });
    const { reason } = await logged(({ event }) => event === "child_terminated");
    expect(reason).toMatchObject({
      type: "exit",
      value: { command: "/bin/sh", status: 3, stderr: ["bad luck"] },
    });
  });

  test("that ends with status 0 ended normally: a transient one is done", async () => {
    const { rows, logs } = await superviseChildren(
      osProcess({ id: "true", restart: "transient", command: "true" }),
    );
    await expect.poll(async () => (await rows())[0]!.state).toBe("stopped");
    expect(logs.filter(({ event }) => event === "child_terminated")).toEqual([]);
  });

  test("that is killed is started again", async () => {
    const { kernel, rows, logged } = await superviseChildren(
      osProcess({ id: "sleeper", command: "sleep", args: ["1000"] }),
    );
    const { pid } = (await rows())[0]!;
    const { osPid } = kernel.info(pid!)!.details as { osPid: number };
    process.kill(osPid, "SIGKILL");
    const { reason } = await logged(({ event }) => event === "child_terminated");
    expect(reason).toMatchObject({ value: { signal: "SIGKILL" } });
    await expect
      .poll(async () => (await rows())[0])
      .toMatchObject({ state: "running", restarts: 1 });
  });

  test("takes what it started with it when it is stopped", async () => {
    const { stop, logged } = await superviseChildren(
      osProcess({
        id: "family",
        command: "/bin/sh",
        args: ["-c", "sleep 1000 & echo $!; wait"],
      }),
    );
    const { line } = await logged(({ event }) => event === "os_output");
    expect(isRunning(Number(line))).toBe(true);
    expect(await stop()).toEqual({ type: "shutdown" });
    await expect.poll(() => isRunning(Number(line))).toBe(false);
  });

  test("that ignores SIGTERM is killed when its time is up", async () => {
    const { stop, logs, logged } = await superviseChildren(
      osProcess({
        id: "stubborn",
        shutdownMs: 50,
        command: "/bin/sh",
        args: ["-c", "trap '' TERM; echo $$; while true; do sleep 0.05; done"],
      }),
    );
    const { line } = await logged(({ event }) => event === "os_output");
    await stop();
    await expect.poll(() => isRunning(Number(line))).toBe(false);
    expect(logs.at(-1)).toMatchObject({ event: "shutdown_error", reason: { type: "killed" } });
  });

  test("that is not there does not start, and is named", async () => {
    const start = superviseChildren(osProcess({ id: "missing", command: "/no/such/program" }));
    await expect(start).rejects.toThrow(/\/no\/such\/program cannot be started: .*ENOENT/);
  });
});

describe("a server as a child", () => {
  const hello = () => createServer((_, response) => response.end("hello"));

  test("listens when it is started, and its port is free when it is stopped", async () => {
    const { kernel, stop } = await superviseChildren(
      serverChild({ id: "web", name: "web", create: hello, port: 0 }),
    );
    const { port } = (await kernel.call("web", "address", [])) as { port: number };
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("hello");
    await stop();
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
  });

  test("whose port is taken does not start", async () => {
    const { kernel } = await superviseChildren(
      serverChild({ id: "web", name: "web", create: hello, port: 0 }),
    );
    const { port } = (await kernel.call("web", "address", [])) as { port: number };
    const second = superviseChildren(serverChild({ id: "second", create: hello, port }));
    await expect(second).rejects.toThrow(/EADDRINUSE/);
  });

  test("that is asked to stop finishes the request that runs, and accepts no other", async () => {
    const gate = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const slow = () =>
      createServer((_, response) => {
        arrived.resolve();
        void gate.promise.then(() => response.end("finished"));
      });
    const { kernel, stop } = await superviseChildren(
      serverChild({ id: "web", name: "web", create: slow, port: 0 }),
    );
    const { port } = (await kernel.call("web", "address", [])) as { port: number };
    const running = fetch(`http://127.0.0.1:${port}`);
    await arrived.promise;
    const stopped = stop();
    await expect
      .poll(() => fetch(`http://127.0.0.1:${port}`).catch(() => "refused"))
      .toBe("refused");
    gate.resolve();
    expect(await (await running).text()).toBe("finished");
    expect(await stopped).toEqual({ type: "shutdown" });
  });

  test("with connections that stay says goodbye to them, or cuts them when its time is up", async () => {
    const connections: Socket[] = [];
    const chatty = (goodbye: boolean) =>
      serverChild({
        id: "tcp",
        name: "tcp",
        create: () => createTcpServer((socket) => void connections.push(socket)),
        port: 0,
        shutdownMs: goodbye ? 5_000 : 20,
        ...(goodbye ? { closing: () => connections.at(-1)?.end("bye") } : {}),
      });
    for (const goodbye of [true, false]) {
      const { kernel, stop, logs } = await superviseChildren(chatty(goodbye));
      const { port } = (await kernel.call("tcp", "address", [])) as { port: number };
      const client = connect(port, "127.0.0.1");
      const heard: string[] = [];
      client.on("data", (data) => heard.push(String(data)));
      const closed = new Promise((resolve) => client.once("close", resolve));
      const before = connections.length;
      await expect.poll(() => connections.length).toBe(before + 1);
      await stop();
      await closed;
      expect(heard).toEqual(goodbye ? ["bye"] : []);
      expect(logs.some(({ event }) => event === "shutdown_error")).toBe(!goodbye);
    }
  });

  test("that is restarted listens on the same port again, and old connections are gone", async () => {
    const first = await superviseChildren(
      serverChild({ id: "probe", name: "probe", create: hello, port: 0 }),
    );
    const { port } = (await first.kernel.call("probe", "address", [])) as { port: number };
    await first.stop();
    const { kernel, rows } = await superviseChildren(
      serverChild({ id: "web", name: "web", create: hello, port }),
    );
    const socket = connect(port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await new Promise((resolve) => socket.once("connect", resolve));
    kernel.exit(kernel.whereis("web")!, { type: "kill" });
    await closed;
    await expect
      .poll(async () => (await rows())[0])
      .toMatchObject({ state: "running", restarts: 1 });
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("hello");
  });
});

describe("a thread as a child", () => {
  const threadOf = (code: string): URL =>
    new URL(`data:text/javascript,${encodeURIComponent(code)}`);

  test("gets messages, and what it posts reaches its parent", async () => {
    const echo = threadOf(`
      import { parentPort, workerData } from "node:worker_threads";
      parentPort.on("message", (text) => parentPort.postMessage(workerData + text));
    `);
    const { kernel } = await superviseChildren();
    const got = Promise.withResolvers<unknown>();
    const parent = kernel.spawn({
      handle: (message) => {
        if (message.type === "info") got.resolve(message.message);
      },
    });
    const spec = workerChild({ id: "echo", module: echo, data: "hello " });
    if (typeof spec.start !== "function") throw new Error("unexpected");
    const started = await spec.start({ link: parent }, { kernel, names: localNames });
    if (started.type !== "started") throw new Error("not started");
    kernel.send(started.pid, "thread");
    expect(await got.promise).toEqual({ from: started.pid, data: "hello thread" });
    kernel.exit(parent, { type: "shutdown" });
  });

  test("that loops for ever is ended, and the event loop never notices", async () => {
    const spin = threadOf(`while (true);`);
    const { stop, kernel } = await superviseChildren(workerChild({ id: "spin", module: spin }));
    expect(kernel.processes().map(({ kind }) => kind)).toContain("worker-thread");
    expect(await stop()).toEqual({ type: "shutdown" });
  });

  test("that throws is a crash with its own error", async () => {
    const failing = threadOf(`
      import { parentPort } from "node:worker_threads";
      parentPort.once("message", () => { throw new RangeError("too far"); });
    `);
    const { kernel, rows, logged } = await superviseChildren(
      workerChild({ id: "failing", module: failing, name: "failing" }),
    );
    kernel.send("failing", "go");
    const { reason } = await logged(({ event }) => event === "crash");
    expect(reason).toMatchObject({ error: { name: "RangeError", message: "too far" } });
    await expect
      .poll(async () => (await rows())[0])
      .toMatchObject({ state: "running", restarts: 1 });
  });
});
