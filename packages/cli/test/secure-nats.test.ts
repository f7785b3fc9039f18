import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LogFields, Logger } from "@coppice/kernel";
import { connectNats, type Credentials, NatsPermissionError } from "@coppice/net-nats";
import { GenServer } from "@coppice/otp";
import { createUser } from "@nats-io/nkeys";
import { expect, onTestFinished, test } from "vitest";
import { startNode, type StartOptions } from "../src/start-node.ts";
import { describeOnNatsServer, type SuiteServer } from "./on-nats-server.ts";

class Echo extends GenServer {
  where(): string {
    return this.self.pid.node;
  }
}

const tree = {
  strategy: "one_for_one",
  children: [{ id: "echo", name: "echo", start: [Echo] }],
} as const;

/** The deployed rules as they are, for a server on this machine: without TLS, with keys made here. */
async function rulesFor(keys: Readonly<Record<string, string>>): Promise<string> {
  const file = fileURLToPath(new URL("../../../deploy/nats-secure.conf", import.meta.url));
  const text = await readFile(file, "utf8");
  const rules = text.slice(text.indexOf("authorization {"));
  return rules.replaceAll(/\$(NODE_A|NODE_B|CLIENT_PASSWORD)/g, (_, name: string) => keys[name]!);
}

/** The seeds of the nodes' keys, as files. */
const seeds: Record<string, string> = {};

async function withKeys(folder: string): Promise<string> {
  const users = { a: createUser(), b: createUser() };
  for (const [name, user] of Object.entries(users)) {
    seeds[name] = join(folder, `${name}.nk`);
    await writeFile(seeds[name], new TextDecoder().decode(user.getSeed()));
  }
  return rulesFor({
    NODE_A: users.a.getPublicKey(),
    NODE_B: users.b.getPublicKey(),
    CLIENT_PASSWORD: "secret",
  });
}

function onSecureServer(server: SuiteServer): void {
  async function node(name: string, options: Partial<StartOptions> = {}) {
    const logs: LogFields[] = [];
    const keep = (fields: LogFields): void => void logs.push(fields);
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
    const credentials: Credentials = { type: "nkey", seedFile: seeds[name] ?? seeds["a"]! };
    const started = await startNode({
      name,
      cluster: "demo",
      servers: [server.url],
      credentials,
      logger,
      ...options,
    });
    onTestFinished(() => started.stop());
    return { started, logs };
  }

  async function client() {
    const credentials = { type: "password", user: "client", pass: "secret" } as const;
    const network = await connectNats({ servers: [server.url], name: "client", credentials });
    onTestFinished(() => network.close());
    return network.transport;
  }

  test("lets two nodes do everything they need, without one error", async () => {
    const a = await node("a");
    await a.started.start(tree);
    const b = await node("b");
    await b.started.start(tree);
    expect(await b.started.call("echo", "where", [])).toBe("a");
    await a.started.stop();
    await expect
      .poll(() => b.started.call("echo", "where", []).catch(() => "nobody yet"))
      .toBe("b");
    const answer = await (
      await client()
    ).request("coppice.v1.demo.call.echo.where", new TextEncoder().encode("[]"), {
      timeoutMs: 5_000,
    });
    expect(new TextDecoder().decode(answer.data)).toBe('"b"');
    for (const { logs } of [a, b])
      expect(logs.filter(({ event }) => event === "network_error")).toEqual([]);
  });

  test("lets one node get what another has put, by its digest", async () => {
    const a = await node("a");
    const b = await node("b");
    const digest = await a.started.artifacts.put(new TextEncoder().encode("a component"));
    const bytes = await b.started.artifacts.get(digest);
    expect(new TextDecoder().decode(bytes)).toBe("a component");
    expect(await b.started.artifacts.get("0".repeat(64))).toBeUndefined();
    for (const { logs } of [a, b])
      expect(logs.filter(({ event }) => event === "network_error")).toEqual([]);
  });

  test("keeps what it does not name apart: another cluster is another matter", async () => {
    const other = node("a", { cluster: "other" });
    await expect(other).rejects.toThrow();
  });

  test("refuses a node that takes another's name, and says so", async () => {
    await expect(node("c")).rejects.toThrow(NatsPermissionError);
    await expect(node("c")).rejects.toThrow(/docs\/nats\.md lists them/);
  });

  test("lets a client call, and neither speak as a node nor listen to one", async () => {
    const b = await node("b");
    await b.started.start(tree);
    const transport = await client();
    const denied = new Promise<Error | undefined>((resolve) => {
      transport.onStatus((status) => {
        if (status.type === "closed") resolve(status.error);
      });
    });
    transport.publish("coppice.v1.demo.node.b.a", new Uint8Array([1]));
    expect(await denied).toMatchObject({ operation: "publish" });
    const spy = await client();
    const refused = new Promise<Error | undefined>((resolve) => {
      spy.onStatus((status) => {
        if (status.type === "closed") resolve(status.error);
      });
    });
    spy.subscribe("coppice.v1.demo.>", () => {});
    expect(await refused).toMatchObject({ operation: "subscription" });
    expect(await b.started.call("echo", "where", [])).toBe("b");
  });
}

describeOnNatsServer("deploy/nats-secure.conf", onSecureServer, withKeys);
