import { NodeNameTakenError } from "@coppice/cluster";
import { encode } from "@coppice/net";
import { connectNats } from "@coppice/net-nats";
import { GenServer } from "@coppice/otp";
import { expect, onTestFinished, test } from "vitest";
import { startNode } from "../src/start-node.ts";
import { describeOnNatsServer } from "./on-nats-server.ts";

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describeOnNatsServer("clusters on one nats-server", (server) => {
  async function node(cluster: string, name: string) {
    class Where extends GenServer {
      where(): string {
        return cluster;
      }
    }
    const started = await startNode({ name, cluster, servers: [server.url], logger });
    onTestFinished(() => started.stop());
    const where = { id: "where", name: "where", start: [Where] as const };
    await started.start({ strategy: "one_for_one", children: [where] });
    return started;
  }

  test("two clusters with the same nodes and names do not hear of each other", async () => {
    const clusters = ["one", "two", "a.b", "a_b", "*", "größe"];
    const nodes = await Promise.all(clusters.map((cluster) => node(cluster, "same")));
    for (const [index, each] of nodes.entries()) {
      expect(await each.call("where", "where", [])).toBe(clusters[index]);
      expect(each.names()).toHaveLength(1);
    }
  });

  test("a second node with a name in use does not start", async () => {
    await node("taken", "same");
    await expect(node("taken", "same")).rejects.toThrow(NodeNameTakenError);
  });

  test("foreign bytes on every subject of a cluster change nothing", async () => {
    const a = await node("noisy", "a");
    const b = await node("noisy", "b");
    const { transport, close } = await connectNats({ servers: [server.url], name: "stranger" });
    const garbage = [
      new Uint8Array(),
      new TextEncoder().encode("hello"),
      encode({ node: "a" }),
      encode([2, 0, "x", "y", 1, 1, false]),
      Uint8Array.from({ length: 500 }, (_, index) => index % 256),
    ];
    const subjects = ["node.a.b", "node.b.a", "node.a.x", "beat.a", "beat.x", "topic.x"];
    for (const subject of [...subjects, "admin", "admin.a", "call.where.where", "call.x"])
      for (const data of garbage)
        transport.publish(`coppice.v1.noisy.${subject}`, data, { reply: "nowhere" });
    await transport.flush();
    for (const each of [a, b]) expect(await each.call("where", "where", [])).toBe("noisy");
    await close();
  });
});
