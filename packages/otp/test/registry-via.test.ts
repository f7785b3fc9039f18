import { NotPlainDataError, type Pid, shutdown } from "@coppice/kernel";
import {
  callName,
  castName,
  functionChild,
  GenServer,
  localNames,
  NotRegisteredError,
  Registry,
  sendName,
  type StartChild,
  startSupervisor,
  startWithName,
  SupervisorRef,
  viaChild,
  type ViaName,
  whereisName,
} from "@coppice/otp";
import { expect, test } from "vitest";
import { countingKernel, endOf } from "./counting-kernel.ts";
import { idle, registry } from "./registry-under-test.ts";

test("D-017: a process started under a via-name is registered with the value of the via-name", async () => {
  const { kernel, names } = await registry<string, string>();
  const via: ViaName<string, string> = { registry: names, key: "k", value: "from via" };
  const result = await startWithName(via, { handle: () => {} });
  const pid = whereisName(kernel, via);
  expect(result).toEqual({ type: "started", pid });
  expect(names.lookup("k")).toEqual([{ pid, value: "from via" }]);
});

test("D1.7: a via-name is called, cast and sent to; missing, a send throws, a call is noproc, a cast is fine", async () => {
  const { kernel, names } = await registry<readonly [string, number]>();
  const via = { registry: names, key: ["server", 1] as const };
  const missing = { registry: names, key: ["server", 2] as const };
  const server = idle(kernel);
  names.register(server, via.key, undefined);
  expect(await callName(kernel, via, "hello", [])).toBe("hello");
  castName(kernel, via, "cast", [1]);
  sendName(kernel, via, "info");
  await callName(kernel, via, "sync", []);
  expect(server.inbox.slice(1, 3)).toEqual([
    { type: "cast", method: "cast", args: [1] },
    { type: "info", message: "info" },
  ]);
  expect(() => sendName(kernel, missing, "x")).toThrow(NotRegisteredError);
  expect(() => castName(kernel, missing, "x", [])).not.toThrow();
  const failure = { code: "noproc", executed: "no" };
  await expect(callName(kernel, missing, "x", [])).rejects.toMatchObject(failure);
  const duplicates = new Registry(kernel, { name: "many", keys: "duplicate" });
  await duplicates.start();
  expect(() => whereisName(kernel, { registry: duplicates, key: "k" })).toThrow(TypeError);
});

test("B1.3: starting under a taken via-name fails with who holds it, and runs nothing", async () => {
  const { kernel, names } = await registry<string>();
  const via = { registry: names, key: "k" };
  const log: string[] = [];
  const behaviour = (name: string) => ({ start: () => void log.push(name), handle: () => {} });
  const [first, second] = await Promise.all([
    startWithName(via, behaviour("first")),
    startWithName(via, behaviour("second")),
  ]);
  const pid = names.whereis("k");
  expect(first).toEqual({ type: "started", pid });
  const value = { type: "already_started", pid };
  expect(second).toEqual({ type: "failed", reason: { type: "exit", value } });
  expect(log).toEqual(["first"]);
  const failing = { start: () => Promise.reject(new Error("no")), handle: () => {} };
  expect(await startWithName({ registry: names, key: "other" }, failing)).toMatchObject({
    type: "failed",
    reason: { error: { message: "no" } },
  });
  expect(names.whereis("other")).toBeUndefined();
  await expect(
    startWithName({ registry: names, key: () => {} } as ViaName, failing),
  ).rejects.toThrow(NotPlainDataError);
  expect(kernel.processes()).toHaveLength(2);
});

test("D1.7: a supervised server keeps its via-name over a restart, and its registry is a child too", async () => {
  const { kernel } = countingKernel();
  const names = new Registry<string, string>(kernel, { name: "supervised", keys: "unique" });
  class Server extends GenServer {
    who(): Pid {
      return this.self.pid;
    }
    crash(): void {
      throw new Error("crash");
    }
  }
  const via = { registry: names, key: "server" };
  const result = await startSupervisor(kernel, {
    strategy: "rest_for_one",
    children: [names.child(), viaChild({ id: "server", via, start: [Server] })],
  });
  const before = await callName(kernel, via, "who", []);
  await callName(kernel, via, "crash", []).catch(() => {});
  await expect.poll(() => whereisName(kernel, via)).toBeDefined();
  expect(await callName(kernel, via, "who", [])).not.toEqual(before);
  // The registry's crash restarts both.
  const registered = whereisName(kernel, via)!;
  kernel.exit(kernel.whereis("supervised")!, { type: "kill" });
  await expect.poll(() => kernel.whereis("supervised") && whereisName(kernel, via)).toBeDefined();
  expect(whereisName(kernel, via)).not.toEqual(registered);
  if (result.type !== "started") throw new Error(result.type);
  const ended = endOf(kernel, result.pid);
  kernel.exit(result.pid, shutdown);
  await ended;
  expect(kernel.processes()).toEqual([]);
});

test("D1.7: any child may have a via-name: a function holds it once it runs, and a taken one is a failed start", async () => {
  const { kernel } = countingKernel();
  const names = new Registry<string, string>(kernel, { name: "supervised", keys: "unique" });
  const work = functionChild({ id: "work", run: () => new Promise(() => {}) });
  const via = { registry: names, key: "work", value: "v" };
  const result = await startSupervisor(kernel, {
    strategy: "rest_for_one",
    children: [names.child(), viaChild({ via, ...work })],
  });
  if (result.type !== "started") throw new Error(result.type);
  const supervisor = new SupervisorRef(kernel, result.pid);
  const [, row] = await supervisor.whichChildren();
  expect(names.lookup("work")).toEqual([{ pid: row?.pid, value: "v" }]);
  const taken = { ok: false, error: "failed", reason: { value: { type: "already_started" } } };
  expect(await supervisor.startChild(viaChild({ via, ...work, id: "twin" }))).toMatchObject(taken);

  // Two that start at the same time: the slower one fails, and does not stay.
  const ready = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const slow = (until: Promise<void>) =>
    viaChild({
      id: "slow",
      via: { registry: names, key: "slow" },
      start: (options) => kernel.start({ start: () => until, handle: () => {} }, options),
    }).start as StartChild;
  const environment = { kernel, names: localNames };
  const starting = ready.map(({ promise }) => slow(promise)({}, environment));
  ready[1].resolve();
  const second = await starting[1];
  ready[0].resolve();
  const value = { type: "already_started", pid: names.whereis("slow") };
  expect(second).toEqual({ type: "started", pid: value.pid });
  expect(await starting[0]).toEqual({ type: "failed", reason: { type: "exit", value } });
  kernel.exit(value.pid!, { type: "kill" });

  const ended = endOf(kernel, result.pid);
  kernel.exit(result.pid, shutdown);
  await ended;
  expect(kernel.processes()).toEqual([]);
});
