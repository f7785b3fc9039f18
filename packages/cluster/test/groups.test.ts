import { GroupEvent } from "@coppice/cluster";
import { describe, expect, test } from "vitest";
import { listen, simulatedCluster } from "./simulated.ts";

async function two() {
  const cluster = simulatedCluster();
  const a = await cluster.start("a");
  const b = await cluster.start("b");
  await cluster.advance(500);
  return { ...cluster, a, b };
}

const printed = (pids: readonly unknown[]): string[] => pids.map(String).sort();

describe("process groups", () => {
  test("D-071: leaving a group one is not in says so; a process may join more than once", async () => {
    const { a } = await two();
    const { pid } = listen(a);
    expect(a.groups.leave("g", pid)).toBe(false);
    a.groups.join("g", [pid, pid]);
    a.groups.join("g", pid);
    expect(a.groups.members("g")).toHaveLength(3);
    expect(a.groups.leave("g", [pid, pid])).toBe(true);
    expect(a.groups.members("g")).toHaveLength(1);
    expect(a.groups.leave("g", pid)).toBe(true);
    expect(a.groups.leave("g", pid)).toBe(false);
    expect(a.groups.which()).toEqual([]);
  });

  test("D-073: members of both nodes, local members of one", async () => {
    const { a, b, advance } = await two();
    const [one, other] = [listen(a), listen(b)];
    a.groups.join("g", one.pid);
    b.groups.join("g", other.pid);
    await advance(10);
    for (const node of [a, b])
      expect(printed(node.groups.members("g"))).toEqual(printed([one.pid, other.pid]));
    expect(a.groups.localMembers("g")).toEqual([one.pid]);
    expect(() => a.groups.join("g", other.pid)).toThrow(RangeError);
    expect(() => a.groups.leave("g", other.pid)).toThrow(RangeError);
  });

  test("D-075: remote members leave on a split and join again when it has healed", async () => {
    const { a, b, advance } = await two();
    const [watcher, member] = [listen(a), listen(b)];
    const { ref, members } = a.groups.monitor("g", watcher.pid);
    expect(members).toEqual([]);
    b.groups.join("g", member.pid);
    await advance(10);
    b.cutOff();
    await advance(3_000);
    expect(a.groups.members("g")).toEqual([]);
    expect(b.groups.members("g")).toEqual([member.pid]);
    b.reconnect();
    await advance(3_000);
    expect(a.groups.members("g")).toEqual([member.pid]);
    const event = (type: "join" | "leave"): GroupEvent =>
      new GroupEvent(type, "g", [member.pid], ref);
    expect(watcher.messages).toEqual([event("join"), event("leave"), event("join")]);
  });

  test("D-075: what changed on the other side of a short split is seen after it", async () => {
    const { a, b, advance } = await two();
    const [old, fresh] = [listen(b), listen(b)];
    b.groups.join("g", old.pid);
    await advance(10);
    a.cutOff(); // Too short for anybody to be declared down.
    b.groups.leave("g", old.pid);
    b.groups.join("g", [fresh.pid, fresh.pid]);
    await advance(200);
    a.reconnect();
    await advance(1_500);
    expect(a.groups.members("g")).toEqual([fresh.pid, fresh.pid]);
  });

  test("D-077, E-079: a node that joins late sees every group, also large ones", async () => {
    const { a, start, advance } = await two();
    const pids = Array.from({ length: 12_000 }, () => a.kernel.spawn({ handle: () => {} }));
    a.groups.join("many", pids);
    a.groups.join("few", pids.slice(0, 2));
    const late = await start("late");
    await advance(500);
    expect(late.groups.which()).toEqual(["few", "many"]);
    expect(late.groups.members("many")).toHaveLength(12_000);
    expect(late.groups.members("few")).toEqual(pids.slice(0, 2));
  });

  test("D-079: monitors are independent; demonitor says whether there was one", async () => {
    const { a, advance } = await two();
    const [watcher, member] = [listen(a), listen(a)];
    const first = a.groups.monitor("g", watcher.pid).ref;
    const second = a.groups.monitor("g", watcher.pid).ref;
    expect(a.groups.demonitor(first)).toBe(true);
    expect(a.groups.demonitor(first)).toBe(false);
    a.groups.join("g", member.pid);
    await advance(1);
    expect(watcher.messages).toEqual([new GroupEvent("join", "g", [member.pid], second)]);
  });

  test("D-081: a list of processes that leaves is one event", async () => {
    const { a, b, advance } = await two();
    const watcher = listen(b);
    const pids = [listen(a).pid, listen(a).pid];
    a.groups.join("g", pids);
    await advance(10);
    const { ref, groups } = b.groups.monitorAll(watcher.pid);
    expect([...groups]).toEqual([["g", pids]]);
    a.groups.leave("g", pids);
    await advance(10);
    expect(watcher.messages).toEqual([new GroupEvent("leave", "g", pids, ref)]);
  });

  test("E-085: a message to a group reaches every member; a dead member is one no more", async () => {
    const { a, b, advance } = await two();
    const [one, other] = [listen(a), listen(b)];
    a.groups.join("g", one.pid);
    b.groups.join("g", other.pid);
    await advance(10);
    expect(a.groups.publish("g", "hello")).toBe(2);
    await advance(10);
    expect([...one.messages, ...other.messages]).toEqual(["hello", "hello"]);
    other.stop();
    await advance(10);
    expect(a.groups.members("g")).toEqual([one.pid]);
  });

  test("a new life of a node has none of the memberships of the old one", async () => {
    const { a, b, start, advance } = await two();
    b.groups.join("g", listen(b).pid);
    await advance(10);
    b.crash();
    await start("b");
    await advance(500);
    expect(a.groups.members("g")).toEqual([]);
  });
});
