import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  connectNats,
  findNatsServer,
  type LocalNatsServer,
  startNatsServer,
} from "@coppice/net-nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { watFixture } from "../packages/component/test/components/fixtures.ts";
import { coppice } from "./demo-process.ts";

const app = fileURLToPath(new URL("cluster-app.ts", import.meta.url));
const access = { COPPICE_USER: "node", COPPICE_PASSWORD: "right" };
let folder: string;
let wasm: string;
let plain: LocalNatsServer;
let foreign: LocalNatsServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-servers-"));
  wasm = join(folder, "tiny.wasm");
  await writeFile(wasm, await watFixture("tiny"));
  const executable = findNatsServer({ path: process.env["PATH"] ?? "" })!;
  plain = await startNatsServer({
    executable,
    storeDir: join(folder, "plain"),
    jetstream: false,
    configuration: `authorization { user: node, password: right }`,
  });
  foreign = await startNatsServer({ executable, storeDir: join(folder, "foreign") });
  const nats = await connectNats({ servers: [foreign.url], name: "somebody else" });
  for (const [name, subject] of [
    ["KV_coppice-taken", "$KV.coppice-taken.>"],
    ["OBJ_coppice-taken", "$O.coppice-taken.>"],
  ] as const) {
    const config = JSON.stringify({ name, subjects: [subject], description: "theirs" });
    const data = new TextEncoder().encode(config);
    await nats.transport.request(`$JS.API.STREAM.CREATE.${name}`, data, { timeoutMs: 5_000 });
  }
  await nats.close();
});

afterAll(async () => {
  await plain.stop();
  await foreign.stop();
  await rm(folder, { recursive: true, force: true });
});

const start = ["start", app, "--name", "a", "--cluster", "taken"];

test.for([
  ["a node", start],
  ["a question", ["nodes"]],
  ["a push", ["push"]],
] as const)("credentials that the server refuses: %s names the settings", async ([, command]) => {
  const args = [...command, ...(command[0] === "push" ? [wasm] : []), "--servers", plain.url];
  for (const env of [{}, { ...access, COPPICE_PASSWORD: "wrong" }]) {
    const { status, stdout, stderr } = await coppice(args, env);
    expect([status, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^coppice: .*refused the credentials.*COPPICE_USER.*\n$/);
  }
});

test.for([
  ["a node", start],
  ["a push", ["push"]],
] as const)("a server without JetStream: %s names the setting", async ([, command]) => {
  const args = [...command, ...(command[0] === "push" ? [wasm] : []), "--servers", plain.url];
  const { status, stdout, stderr } = await coppice(args, access);
  expect([status, stdout]).toEqual([3, ""]);
  expect(stderr).toMatch(/^coppice: .*jetstream.*\n$/i);
});

test.for([
  ["a node", start],
  ["a push", ["push", "--cluster", "taken"]],
] as const)("a bucket of somebody else: %s leaves it alone", async ([, command]) => {
  const args = [...command, ...(command[0] === "push" ? [wasm] : []), "--servers", foreign.url];
  const { status, stdout, stderr } = await coppice(args);
  expect([status, stdout]).toEqual([3, ""]);
  expect(stderr).toMatch(/^coppice: .*coppice-taken.*\n$/);
});
