import { kill, normal } from "@coppice/kernel";
import { describe, expect, test } from "vitest";
import { endOf, kernelOf, leftovers, puppet, settled } from "./nodes.ts";

const fault = { type: "exit", value: "fault" } as const;
const noproc = { type: "noproc" } as const;

describe("monitors", () => {
  test("A-025: a monitor of a dead process says noproc", async () => {
    const kernel = kernelOf("a");
    const dead = kernel.spawn(() => {});
    kernel.exit(dead, kill);
    const watcher = puppet(kernel);
    const ref = watcher.self.monitor(dead);
    expect(await watcher.next()).toMatchObject({ type: "down", ref, pid: dead, reason: noproc });
  });

  test("A-027: two monitors are two messages with different references", async () => {
    const kernel = kernelOf("a");
    const [watcher, target] = [puppet(kernel), puppet(kernel)];
    const refs = [watcher.self.monitor(target.pid), watcher.self.monitor(target.pid)];
    target.self.exit(fault);
    await settled(kernel);
    expect(watcher.inbox.map((each) => each.type === "down" && each.ref)).toEqual(refs);
    expect(refs[0]).not.toBe(refs[1]);
  });

  test("A-029: a down that waits stays after demonitor, and goes with flush", async () => {
    const kernel = kernelOf("a");
    const results: unknown[] = [];
    for (const flush of [false, true]) {
      const done = Promise.withResolvers<unknown>();
      kernel.spawn(async (self) => {
        const target = self.spawn(() => {});
        const ref = self.monitor(target);
        await endOf(kernel, target);
        self.demonitor(ref, { flush });
        done.resolve(await self.receive(undefined, { timeoutMs: 0 }));
      });
      results.push(await done.promise);
    }
    expect(results).toMatchObject([{ type: "down", reason: normal }, undefined]);
    expect(results[1]).toBeUndefined();
  });

  test("A-031: demonitor says whether the monitor was still active", async () => {
    const kernel = kernelOf("a");
    const [watcher, target] = [puppet(kernel), puppet(kernel)];
    const [kept, fired] = [watcher.self.monitor(target.pid), watcher.self.monitor(target.pid)];
    expect(watcher.self.demonitor(kept)).toBe(true);
    target.self.exit(fault);
    expect(watcher.self.demonitor(fired)).toBe(false);
    await settled(kernel);
    expect(watcher.inbox.length).toBe(1);
  });

  test("A-033: a monitor may carry a tag, and an alias that ends with it", async () => {
    const kernel = kernelOf("a");
    const [watcher, target, sender] = [puppet(kernel), puppet(kernel), puppet(kernel)];
    const alias = watcher.self.alias();
    watcher.self.monitor(target.pid, { tag: { request: 7 }, alias });
    sender.self.send(alias, "before");
    target.self.exit(fault);
    sender.self.send(alias, "after");
    await settled(kernel);
    expect(watcher.inbox).toMatchObject([
      { type: "info", message: "before" },
      { type: "down", tag: { request: 7 }, reason: fault },
    ]);
    expect(watcher.inbox.length).toBe(2);
    expect(kernel.pending.aliases).toBe(0);
  });

  test("A4.2: a monitor by name binds to the process of that moment, and says the name", async () => {
    const kernel = kernelOf("a");
    const watcher = puppet(kernel);
    const first = puppet(kernel, { name: "room" });
    watcher.self.monitor("room");
    first.self.exit(fault);
    puppet(kernel, { name: "room" }).self.exit(kill);
    await settled(kernel);
    expect(watcher.inbox).toMatchObject([{ name: "room", pid: first.pid, reason: fault }]);
    watcher.self.monitor("nobody");
    expect(await watcher.next()).toMatchObject({ name: "room" });
    expect(await watcher.next()).toMatchObject({ name: "nobody", pid: undefined, reason: noproc });
  });

  test("A4.6: nothing is missed between spawn and monitor", async () => {
    const kernel = kernelOf("a");
    const watcher = puppet(kernel);
    const { pid, ref } = watcher.self.spawnMonitor(() => {});
    expect(await watcher.next()).toMatchObject({ type: "down", ref, pid, reason: normal });
  });

  test("the monitors of a process end with it", async () => {
    const kernel = kernelOf("a");
    const [watcher, target] = [puppet(kernel), puppet(kernel)];
    watcher.self.monitor(target.pid);
    watcher.self.exit(fault);
    expect(kernel.info(target.pid)!.watchers).toBe(0);
    target.self.exit(fault);
    expect(Object.values(leftovers(kernel)).every((count) => count === 0)).toBe(true);
  });
});

describe("names", () => {
  test("A-035: a process has at most one name", () => {
    const kernel = kernelOf("a");
    const { pid } = puppet(kernel, { name: "first" });
    expect(() => kernel.register("second", pid)).toThrow(/is named first/);
    expect(kernel.unregister("first")).toBe(true);
    kernel.register("second", pid);
    expect([kernel.whereis("first"), kernel.whereis("second")]).toEqual([undefined, pid]);
    expect(kernel.unregister("first")).toBe(false);
  });

  test("A-037: the name of a dead process is free when its end is seen", async () => {
    const kernel = kernelOf("a");
    const watcher = puppet(kernel);
    const target = puppet(kernel, { name: "room" });
    watcher.self.monitor(target.pid);
    target.self.exit(fault);
    await watcher.next();
    expect(kernel.whereis("room")).toBeUndefined();
  });

  test("A5.2: a message to a name nobody has is an error; to a dead process it is dropped", () => {
    const kernel = kernelOf("a");
    const { self } = puppet(kernel);
    expect(() => self.send("nobody", 1)).toThrow(/no process is registered as nobody/);
    const dead = puppet(kernel);
    dead.self.exit(normal);
    expect(self.send(dead.pid, 1)).toBe("noproc");
  });

  test("A5.3: a name is looked up for every message", async () => {
    const kernel = kernelOf("a");
    puppet(kernel, { name: "room" }).self.exit(fault);
    const second = puppet(kernel, { name: "room" });
    kernel.send("room", "hello");
    expect(await second.next()).toEqual({ type: "info", message: "hello" });
  });

  test("a name must be a text of 1 to 255 characters", () => {
    const kernel = kernelOf("a");
    for (const name of ["", "x".repeat(256)])
      expect(() => kernel.spawn(() => {}, { name })).toThrow(/a text of 1 to 255 characters/);
    expect(kernel.processCount).toBe(0);
  });
});

describe("aliases", () => {
  test("A-051: what is sent to an alias arrives until it ends", async () => {
    const kernel = kernelOf("a");
    const [owner, sender] = [puppet(kernel), puppet(kernel)];
    const alias = owner.self.alias();
    sender.self.send(alias, "first");
    expect(owner.self.unalias(alias)).toBe(true);
    expect(sender.self.send(alias, "second")).toBe("noproc");
    await settled(kernel);
    expect(owner.inbox).toEqual([{ type: "info", message: "first" }]);
    expect(owner.self.unalias(alias)).toBe(false);
  });

  test("an alias for one answer drops the second", async () => {
    const kernel = kernelOf("a");
    const [owner, sender] = [puppet(kernel), puppet(kernel)];
    const alias = owner.self.alias({ once: true });
    sender.self.send(alias, "first");
    sender.self.send(alias, "second");
    await settled(kernel);
    expect(owner.inbox).toEqual([{ type: "info", message: "first" }]);
    owner.self.alias();
    owner.self.exit(normal);
    expect(kernel.pending.aliases).toBe(0);
  });
});
