import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectNats } from "@coppice/net-nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { coppice, rows, type RunningDemo, startDemo } from "./demo-process.ts";

let demo: RunningDemo;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-command-"));
  demo = await startDemo();
});

afterAll(async () => {
  demo.process.kill("SIGTERM");
  await demo.exit;
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** The address of the demo's nats-server, from what it said. */
function server(): string {
  return `nats://127.0.0.1:${/JetStream on port (\d+)/.exec(demo.said())![1]}`;
}

describe("asking", () => {
  test("nodes, names and ps tell what runs where, as JSON", async () => {
    const nodes = await rows<Record<string, unknown>>("nodes");
    expect(nodes.map(({ name, status }) => [name, status])).toEqual([
      ["a", "up"],
      ["b", "up"],
      ["c", "up"],
    ]);
    for (const { incarnation, osPid } of nodes)
      expect([typeof incarnation, typeof osPid]).toEqual(["string", "number"]);
    const names = await rows("names");
    expect(names).toMatchObject([
      { name: "chat-room", node: "a", pid: expect.any(String), epoch: expect.any(Number) },
      { name: "stack", node: "a" },
    ]);
    expect(await rows("ps")).toContainEqual(
      expect.objectContaining({
        pid: expect.any(String),
        name: "chat-room",
        node: "a",
        kind: "component",
        restarts: 0,
        mailbox: 0,
      }),
    );
  });

  test("tree shows who supervises whom, for people", async () => {
    const { stdout, status } = await coppice(["tree"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /rooms {2}supervisor.*\n.*chat-room {2}singleton.*\n.*chat-room {2}component/,
    );
  });

  test("help tells the exit codes and where settings come from", async () => {
    const { stdout, status } = await coppice(["--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("0 done, 1 the call failed, 2 wrong usage, 3 no cluster reached");
    expect(stdout).toContain("COPPICE_SERVERS");
  });
});

describe("acting", () => {
  test("call prints the answer as JSON", async () => {
    const { stdout, stderr, status } = await coppice(["call", "chat-room", "add-message", '"hi"']);
    expect([stdout, stderr, status]).toEqual(['"hi"\n', "", 0]);
  });

  test("kill ends a process, and its supervisor brings it back empty", async () => {
    await coppice(["call", "stack", "push", '"x"']);
    const [before] = (await rows<{ name: string; pid: string }>("names")).slice(1);
    expect((await coppice(["kill", "stack"])).status).toBe(0);
    expect((await coppice(["call", "stack", "push", '"y"', "-o", "json"])).stdout).toBe("1\n");
    const [after] = (await rows<{ name: string; pid: string }>("names")).slice(1);
    expect(after!.pid).not.toBe(before!.pid);
  });
});

describe("what is wrong ends in one sentence and a documented status", () => {
  test.for([
    [["call", "nobody", "x"], 1, "no process is named nobody in this cluster"],
    [["kill", "nobody"], 1, "no process is named nobody in this cluster"],
    [
      ["call", "chat-room", "shout"],
      1,
      "has no function shout; it exports init, add-message, message-added",
    ],
    [["call", "chat-room", "add-message", "42"], 1, "argument 1, message: expected string, got 42"],
    [["call", "chat-room", "add-message"], 1, "add-message takes 1 argument, got 0"],
    [["call", "chat-room", "add-message", "hi"], 2, "argument 1 is not JSON: hi"],
    [["call", "chat-room"], 2, "missing required argument 'function'"],
    [["frobnicate"], 2, "unknown command 'frobnicate'"],
    [["nodes", "--colour"], 2, "unknown option '--colour'"],
    [["nodes", "-o", "yaml"], 2, "Allowed choices are text, json"],
    [["nodes", "--timeout-ms", "soon"], 2, 'the timeout "soon" is not a number of milliseconds'],
    [["nodes", "--cluster", "other"], 3, "a node of cluster other is not running"],
    [
      ["nodes", "--servers", "nats://127.0.0.1:1", "--timeout-ms", "500"],
      3,
      "no NATS server answers at nats://127.0.0.1:1",
    ],
    [
      ["start", "x.ts", "--name", "x", "--label", "north"],
      2,
      "--label north: write it as name=value",
    ],
    [
      ["start", "x.ts", "--name", "x", "--label", "a=1", "--label", "a=2"],
      2,
      "--label a=2: a is given twice",
    ],
    [["start", "x.ts", "--name", "x", "--weight", "-1"], 2, "--weight -1: it must be a number"],
    [["start", "x.ts", "--name", "x", "--replicas", "2"], 2, "--replicas 2: it must be 1, 3 or 5"],
    [["push", "/nowhere/room.wasm"], 2, "there is no component at /nowhere/room.wasm"],
    [["nodes", "--config", "/nowhere/coppice.json"], 2, "/nowhere/coppice.json cannot be read"],
  ] as const)("%j", async ([args, status, sentence]) => {
    const result = await coppice([...args]);
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(sentence);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
    expect(result.stdout).toBe("");
  });

  test("a configuration file that is no JSON, or says what it may not, is named", async () => {
    const broken = await coppice(["nodes", "--config", await file("broken.json", '{"servers": [')]);
    expect([broken.status, broken.stderr]).toEqual([
      2,
      expect.stringContaining("broken.json is not valid JSON"),
    ]);
    const stray = await coppice(["nodes", "--config", await file("stray.json", '{"server": []}')]);
    expect(stray.stderr).toContain("stray.json has an unknown setting server");
  });

  test.for([
    ["is missing", undefined, /there is no component at .*room\.wasm/],
    ["is a text", "hello", /room\.wasm is a text file/],
    ["is a core module", "\0asm\u0001\0\0\0", /room\.wasm is a core WebAssembly module/],
    ["is cut off", "\0asm", /room\.wasm is cut off/],
  ] as const)(
    "a node whose component %s does not start, and says why",
    async ([, content, sentence]) => {
      const path = join(folder, "room.wasm");
      await rm(path, { force: true });
      if (content !== undefined) await writeFile(path, content);
      const settings = [`component=${path}`, `cacheDir=${folder}`, "port=0", "secret=x"];
      const app = new URL("../packages/chat/src/app.ts", import.meta.url).pathname;
      const args = ["start", app, "--name", "x", "--cluster", "alone", "--servers", server()];
      const result = await coppice([...args, "--set", ...settings]);
      expect(result.status).toBe(1);
      const last = result.stderr.trim().split("\n").at(-1);
      expect(last).toMatch(/^coppice: app did not start: rooms: chat-room: \w+Error: /);
      expect(last).toMatch(sentence);
      expect(result.stderr).not.toMatch(/^\s+at /m);
    },
  );
});

describe("settings", () => {
  test("flags win over the environment, the environment over the file, the file over the demo", async () => {
    const config = await file("other.json", '{"cluster": "from-file"}');
    const named = async (args: string[], env = {}): Promise<string> =>
      /cluster (\S+) is not running/.exec((await coppice(["nodes", ...args], env)).stderr)![1]!;
    const env = { COPPICE_CLUSTER: "from-environment" };
    expect(await named(["--config", config])).toBe("from-file");
    expect(await named(["--config", config], env)).toBe("from-environment");
    expect(await named(["--config", config, "--cluster", "from-flag"], env)).toBe("from-flag");
  });
});

test("the open door: any NATS client calls a named process with JSON", async () => {
  const nats = await connectNats({ servers: [server()], name: "a client" });
  const ask = async (subject: string, body: string): Promise<unknown> => {
    const data = new TextEncoder().encode(body);
    const reply = await nats.transport.request(`coppice.v1.demo.call.${subject}`, data, {
      timeoutMs: 5_000,
    });
    return JSON.parse(new TextDecoder().decode(reply.data));
  };
  expect(await ask("chat-room.add-message", '["hi"]')).toBe("hi");
  expect(await ask("chat-room.add-message", "[42]")).toMatchObject({
    error: {
      code: "bad_argument",
      executed: "no",
      message: expect.stringContaining("expected string"),
    },
  });
  await nats.close();
});
