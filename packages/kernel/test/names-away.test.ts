import { describe, expect, test } from "vitest";
import { leftovers, pairOfKernels, puppet, settled } from "./nodes.ts";

const noconnection = { type: "noconnection" } as const;

describe("names of other nodes", () => {
  test("B-063: a call reaches the process that has the name there; nobody is noproc", async () => {
    const { a, b } = pairOfKernels();
    b.spawn(
      {
        handle: (message) => {
          if (message.type === "call") message.reply({ ok: true, value: message.args });
        },
      },
      { name: "server" },
    );
    expect(await a.call({ name: "server", node: "b" }, "echo", [1])).toEqual([1]);
    await expect(a.call({ name: "nobody", node: "b" }, "echo", [])).rejects.toMatchObject({
      code: "noproc",
      executed: "no",
    });
    expect(await b.call({ name: "server", node: "b" }, "echo", [2])).toEqual([2]);
  });

  test("B-005: a call to a name on a node that cannot be reached did not run", async () => {
    const { a } = pairOfKernels();
    await expect(a.call({ name: "server", node: "bogus" }, "echo", [])).rejects.toMatchObject({
      code: "noconnection",
      executed: "no",
    });
    expect(a.pending.calls).toBe(0);
  });

  test("A-061: a message to a name on an unreachable node is dropped, without an error", () => {
    const { a, b } = pairOfKernels();
    const far = puppet(b);
    expect(a.send({ name: "x", node: "bogus" }, 1)).toBe("noconnection");
    expect(a.send(far.pid, 1)).toBe("sent");
    expect(a.cast({ name: "x", node: "b" }, "y", [])).toBe("sent");
  });

  test("B-059: there is no abcast: a loop of casts reaches the nodes that are there, and the others are no error", async () => {
    const { a, b } = pairOfKernels();
    const [here, there] = [puppet(a, { name: "server" }), puppet(b, { name: "server" })];
    const deliveries = ["a", "b", "bogus"].map((node) =>
      a.cast({ name: "server", node }, "note", [1]),
    );
    expect(deliveries).toEqual(["queued", "sent", "noconnection"]);
    for (const { next } of [here, there])
      expect(await next()).toEqual({ type: "cast", method: "note", args: [1] });
  });

  test("A-055: the loss of a node is the end of monitors by pid and by name", async () => {
    const { a, b, cut } = pairOfKernels();
    const watcher = puppet(a);
    const target = puppet(b, { name: "server" });
    watcher.self.monitor(target.pid);
    watcher.self.monitor({ name: "server", node: "b" });
    await settled(a);
    cut();
    await settled(a);
    expect(watcher.inbox).toMatchObject([
      { type: "down", pid: target.pid, reason: noconnection },
      { type: "down", name: "server", reason: noconnection },
    ]);
    expect(leftovers(a)["remoteMonitors"]).toBe(0);
  });

  test("a monitor by name tells who it was that ended", async () => {
    const { a, b } = pairOfKernels();
    const watcher = puppet(a);
    const target = puppet(b, { name: "server" });
    watcher.self.monitor({ name: "server", node: "b" });
    watcher.self.monitor({ name: "nobody", node: "b" });
    expect(await watcher.next()).toMatchObject({ name: "nobody", reason: { type: "noproc" } });
    target.self.exit({ type: "shutdown" });
    expect(await watcher.next()).toMatchObject({
      name: "server",
      pid: target.pid,
      reason: { type: "shutdown" },
    });
  });

  test("A-059: a monitor by name on an unreachable node says noconnection", async () => {
    const { a } = pairOfKernels();
    const watcher = puppet(a);
    watcher.self.monitor({ name: "server", node: "bogus" });
    expect(await watcher.next()).toMatchObject({ name: "server", reason: noconnection });
  });

  test("A-057: a process linked to one of a lost node ends; one that only watches lives", async () => {
    const { a, b, cut } = pairOfKernels();
    const far = puppet(b);
    const [linked, watching] = [puppet(a), puppet(a)];
    linked.self.link(far.pid);
    watching.self.monitor(far.pid);
    await settled(a);
    cut();
    await settled(b);
    expect([a.isAlive(linked.pid), a.isAlive(watching.pid), b.isAlive(far.pid)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
