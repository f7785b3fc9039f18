import { type LogFields, silentLogger } from "@coppice/kernel";
import { connectNats } from "@coppice/net-nats";
import { GenServer } from "@coppice/otp";
import { expect, onTestFinished, test } from "vitest";
import { startNode } from "../src/start-node.ts";
import { describeOnNatsServer } from "./on-nats-server.ts";

const strange = [
  "a.b",
  "a_b",
  "*",
  ">",
  "a b",
  "\0",
  "😀",
  "=41",
  "$SYS",
  "größe",
  "x".repeat(200),
];

class Where extends GenServer {
  where(): string {
    return this.self.pid.node;
  }
}

describeOnNatsServer("strange names and foreign writes on a real nats-server", (server) => {
  async function node(cluster: string, name: string) {
    const logs: LogFields[] = [];
    const logger = { ...silentLogger, error: (fields: LogFields) => void logs.push(fields) };
    const started = await startNode({ name, cluster, servers: [server.url], logger });
    onTestFinished(() => started.stop());
    return { started, logs };
  }

  test("nodes, names and functions of any text find each other", async () => {
    const nodes = await Promise.all(strange.map((name) => node("strange", name)));
    for (const [index, { started }] of nodes.entries()) {
      const name = strange[index]!;
      const child = { id: name, name: `of ${name}`.slice(0, 60), start: [Where] as const };
      await started.start({ strategy: "one_for_one", children: [child] });
    }
    const [{ started: asking }] = nodes as [(typeof nodes)[number]];
    await expect.poll(() => asking.nodes().length).toBe(strange.length - 1);
    for (const name of strange)
      expect(await asking.call(`of ${name}`.slice(0, 60), "where", [])).toBe(name);
    for (const { logs } of nodes) expect(logs).toEqual([]);
  });

  test.for([
    ["a node", { cluster: "long", name: "x".repeat(10_000) }],
    ["a cluster", { cluster: "x".repeat(10_000), name: "a" }],
    ["a cluster to be escaped", { cluster: "😀".repeat(30), name: "a" }],
  ] as const)("%s whose name is too long is refused, with what fits", async ([, options]) => {
    await expect(node(options.cluster, options.name)).rejects.toThrow(
      /is too long: .* characters of at most 200/,
    );
  });

  test.for([
    ["a node", { cluster: "half", name: "\ud800" }],
    ["a cluster", { cluster: "\ud800", name: "a" }],
  ] as const)("%s whose name is half a character is refused", async ([, options]) => {
    await expect(node(options.cluster, options.name)).rejects.toThrow(/not well-formed/);
  });

  test.for([
    ["a node", { cluster: "empty", name: "" }],
    ["a cluster", { cluster: "", name: "a" }],
  ] as const)("%s without a name is refused", async ([, options]) => {
    await expect(node(options.cluster, options.name)).rejects.toThrow(/must have a name/);
  });

  test("what somebody else writes into a cluster's bucket is reported, and breaks nothing", async () => {
    const a = await node("written", "a");
    const child = { id: "where", name: "where", start: [Where] as const };
    await a.started.start({ strategy: "one_for_one", children: [child] });
    const { transport, close } = await connectNats({ servers: [server.url], name: "stranger" });
    onTestFinished(close);
    const texts = ["", "hello", "\u0093\u0001\u0002\u0003", "{}"];
    for (const key of ["name.other", "name.=ZZ", "session.x", "child.s.x", "other", "name.a.b"])
      for (const text of texts)
        transport.publish(`$KV.coppice-written.${key}`, new TextEncoder().encode(text));
    await transport.flush();
    await expect.poll(() => a.logs.map(({ event }) => event)).toContain("network_error");
    expect(await a.started.call("where", "where", [])).toBe("a");
    const b = await node("written", "b");
    expect(await b.started.call("where", "where", [])).toBe("a");
    await a.started.stop();
    await b.started.start({ strategy: "one_for_one", children: [child] });
    expect(await b.started.call("where", "where", [])).toBe("b");
  });
});
