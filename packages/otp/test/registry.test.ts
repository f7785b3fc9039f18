import { NotPlainDataError } from "@coppice/kernel";
import {
  type Registered,
  Registry,
  RegistryFullError,
  TaskExitedError,
  UnknownRegistryError,
} from "@coppice/otp";
import { expect, expectTypeOf, test } from "vitest";
import { runExample } from "./example.ts";
import { countingKernel, endOf } from "./counting-kernel.ts";
import { fault, idle, registry } from "./registry-under-test.ts";

test("D-001: partitions are as configured; an empty registry counts 0, one with n keys n", async () => {
  const { names, owner } = await registry({ partitions: 3 });
  expect(names.partitions).toBe(3);
  expect(names.count()).toBe(0);
  const self = owner();
  for (let key = 0; key < 5; key += 1) names.register(self, key, "x");
  expect(names.count()).toBe(5);
  expect(names.keys(self.pid)).toEqual([0, 1, 2, 3, 4]);
});

test("D-003: a key held by another process is refused with who holds it", async () => {
  const { names, owner } = await registry();
  const [first, second] = [owner(), owner()];
  expect(names.register(first, "k", 1)).toEqual({ ok: true });
  const refused = { ok: false, error: "already_registered", pid: first.pid };
  expect(names.register(second, "k", 2)).toEqual(refused);
  expect(names.register(first, "k", 3)).toEqual(refused);
  expect(names.keys(second.pid)).toEqual([]);
  expect(names.lookup("k")).toEqual([{ pid: first.pid, value: 1 }]);
});

test("D1.2: the key of a process that has ended is free at once", async () => {
  const { kernel, names, owner } = await registry();
  const [first, second] = [owner(), owner()];
  names.register(first, "k", 1);
  kernel.exit(first.pid, fault);
  expect(names.lookup("k")).toEqual([]);
  expect(names.register(second, "k", 2)).toEqual({ ok: true });
  expect(names.whereis("k")).toEqual(second.pid);
});

test("D1.5: whoever hears of an end finds no entry of it, whether it watched before or after", async () => {
  const { kernel, names, owner } = await registry();
  const [self, next] = [owner(), owner()];
  const heard: unknown[] = [];
  const look = () => heard.push(names.lookup("k"), names.whereis("k"), names.keys(self.pid));
  kernel.monitor(self.pid, look);
  // D1.2: a dead holder whose entry is not removed yet is replaced.
  kernel.monitor(self.pid, () => heard.push(names.register(next, "taken over", 2)));
  names.register(self, "k", 1);
  names.register(self, "taken over", 1);
  kernel.monitor(self.pid, look);
  kernel.exit(self.pid, fault);
  expect(heard).toEqual([[], undefined, [], { ok: true }, [], undefined, []]);
  expect(names.select()).toEqual([{ key: "taken over", pid: next.pid, value: 2 }]);
  expect(names.count()).toBe(1);
});

test("D-005: match and countMatch take a function instead of match patterns and guards", async () => {
  type Value = { readonly kind: "user"; readonly age: number } | { readonly kind: "bot" };
  const { names, owner } = await registry<string, Value>({ keys: "duplicate" });
  const [ann, bob, bot] = [owner(), owner(), owner()];
  names.register(ann, "k", { kind: "user", age: 17 });
  names.register(bob, "k", { kind: "user", age: 44 });
  names.register(bot, "k", { kind: "bot" });
  const isUser = (value: Value) => value.kind === "user";
  expect(names.match("k", isUser).map(({ value }) => value.age)).toEqual([17, 44]);
  expect(names.match("k", (value) => isUser(value) && value.age > 18)).toEqual([
    { pid: bob.pid, value: { kind: "user", age: 44 } },
  ]);
  expect(names.match("k", (_, pid) => pid === bot.pid)).toHaveLength(1);
  expect(names.match("other", () => true)).toEqual([]);
  expect(names.countMatch("k", isUser)).toBe(2);
  // A predicate that is a type guard narrows the values.
  expectTypeOf(names.match("k", isUser)).toEqualTypeOf<
    Registered<{ readonly kind: "user"; readonly age: number }>[]
  >();
});

test("D-007: keys are compared strictly: 1, 1n, '1' and true differ; JavaScript has no 1.0 beside 1", async () => {
  const { names, owner } = await registry();
  const self = owner();
  const keys = [1, 1n, "1", true, "true", null, "null", undefined, [1], ["1"], [[1]], {}];
  for (const key of keys) expect(names.register(self, key, key)).toEqual({ ok: true });
  for (const key of keys) expect(names.values(key, self.pid)).toEqual([key]);
  expect(names.count()).toBe(keys.length);
});

test("D1.3: structured keys are equal when their parts are", async () => {
  const { names, owner } = await registry();
  const self = owner();
  const makers: (() => unknown)[] = [
    () => ["room", 1, { floor: 2 }],
    () => ({ a: 1, b: [2n] }),
    () =>
      new Map<unknown, unknown>([
        [1, "x"],
        ["1", "y"],
      ]),
    () => new Set([1, "1"]),
    () => new Date(5),
    () => new Uint8Array([1, 2]),
    () => [self.pid],
    () => [],
    () => Array.from({ length: 1 }),
    () => '\u0000["room"]',
    () => ["room"],
    () => Number.NaN,
  ];
  for (const make of makers) expect(names.register(self, make(), "x")).toEqual({ ok: true });
  for (const make of makers) expect(names.lookup(make())).toHaveLength(1);
  expect(names.count()).toBe(makers.length);
  expect(names.lookup({ b: [2n], a: 1 })).toHaveLength(1);
  expect(names.lookup(new Set(["1", 1]))).toHaveLength(1);
  expect(names.lookup(["room", 1, { floor: "2" }])).toEqual([]);
  for (const make of makers) names.unregister(self, make());
  expect(names.count()).toBe(0);
});

test("D1.3: a key that is no plain data, or too long, is refused", async () => {
  const { names, owner } = await registry();
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const key of [() => 1, Symbol("x"), new URL("http://no.data/"), cycle])
    expect(() => names.register(owner(), key, 1)).toThrow(NotPlainDataError);
  for (const key of ["k".repeat(5_000), ["k".repeat(5_000)]])
    expect(() => names.register(owner(), key, 1)).toThrow(RangeError);
  expect(names.count()).toBe(0);
});

test("D-009: dispatch hands the entries of one key to a function, and calls none for a key without", async () => {
  const { names, owner } = await registry();
  const self = owner();
  names.register(self, "k", "v");
  const calls: unknown[] = [];
  expect(names.dispatch("k", (entries) => void calls.push(entries))).toBeUndefined();
  expect(names.dispatch("unknown", (entries) => void calls.push(entries))).toBeUndefined();
  expect(calls).toEqual([[{ pid: self.pid, value: "v" }]]);
  expect(() =>
    names.dispatch("k", () => {
      throw new Error("from the function");
    }),
  ).toThrow("from the function");
});

test("D-011: unregistering a key of another process has no effect", async () => {
  const { names, owner } = await registry();
  const [holder, other] = [owner(), owner()];
  names.register(holder, "k", 1);
  names.unregister(other, "k");
  expect(names.whereis("k")).toEqual(holder.pid);
  names.unregister(holder, "k");
  expect(names.lookup("k")).toEqual([]);
});

test("D-013: listeners hear of registering and unregistering, and nothing of a crash", async () => {
  const { kernel, names, owner, end } = await registry({ listeners: ["listener", "missing"] });
  const listener = idle(kernel, { name: "listener" });
  const [first, second] = [owner(), owner()];
  names.register(first, "a", 1);
  names.register(second, ["b"], 2);
  names.register(second, "a", 3);
  names.unregister(first, "a");
  names.unregister(first, "a");
  await end(second);
  await kernel.call(listener.pid, "sync", []);
  const at = { registry: "names" };
  expect(listener.inbox.filter(({ type }) => type === "info")).toEqual(
    [
      { type: "register", ...at, key: "a", pid: first.pid, value: 1 },
      { type: "register", ...at, key: ["b"], pid: second.pid, value: 2 },
      { type: "unregister", ...at, key: "a", pid: first.pid },
    ].map((message) => ({ type: "info", message })),
  );
  expect(() => names.register(owner(), "c", () => {})).toThrow(NotPlainDataError);
  expect(names.lookup("c")).toEqual([]);
});

test("D1.2: when the registry crashes, the processes that hold a key end with it", async () => {
  const { kernel, names, owner, pid, start } = await registry({ meta: { at: "start" } });
  const [holder, past] = [owner(), owner()];
  const trapping = idle(kernel, { trapExit: true });
  for (const self of [holder, past, trapping]) names.register(self, [self.pid], 1);
  names.unregister(past, [past.pid]);
  names.putMeta("later", 1);
  const ended = endOf(kernel, holder.pid);
  kernel.exit(pid, { type: "kill" });
  expect(await ended).toEqual({ type: "killed" });
  expect(kernel.isAlive(past.pid)).toBe(true);
  await kernel.call(trapping.pid, "sync", []);
  expect(trapping.inbox[0]).toEqual({ type: "exit", from: pid, reason: { type: "killed" } });

  await start();
  expect(names.count()).toBe(0);
  expect([names.meta("at"), names.meta("later")]).toEqual(["start", undefined]);
  expect(names.register(trapping, "again", 1)).toEqual({ ok: true });
});

test("D-015: every method of a registry that does not run throws 'unknown registry'", async () => {
  const { kernel } = countingKernel();
  const names = new Registry<string, number>(kernel, { name: "nowhere", keys: "unique" });
  const self = idle(kernel);
  const calls = [
    () => names.register(self, "k", 1),
    () => names.unregister(self, "k"),
    () => names.unregisterMatch(self, "k", () => true),
    () => names.updateValue(self, "k", () => 2),
    () => names.lookup("k"),
    () => names.whereis("k"),
    () => names.keys(self.pid),
    () => names.values("k", self.pid),
    () => names.count(),
    () => names.match("k", () => true),
    () => names.select(),
    () => names.dispatch("k", () => {}),
    () => names.meta("m"),
    () => names.putMeta("m", 1),
    () => names.deleteMeta("m"),
  ];
  for (const call of calls) {
    expect(call).toThrow(UnknownRegistryError);
    expect(call).toThrow("unknown registry: nowhere");
  }
  await expect(names.lock("k", () => 1)).rejects.toThrow(UnknownRegistryError);
});

test("D-019: select takes a function over entries instead of match specs; no function is a TypeError", async () => {
  const { names, owner } = await registry<string, number>();
  const [first, second] = [owner(), owner()];
  names.register(first, "a", 1);
  names.register(second, "b", 2);
  names.register(second, "c", 3);
  expect(names.select()).toEqual([
    { key: "a", pid: first.pid, value: 1 },
    { key: "b", pid: second.pid, value: 2 },
    { key: "c", pid: second.pid, value: 3 },
  ]);
  expect(names.select(({ value }) => value > 1).map(({ key }) => key)).toEqual(["b", "c"]);
  expect(names.select(({ pid, key }) => pid === second.pid && key < "c")).toHaveLength(1);
  expect(() => names.select("a" as never)).toThrow(TypeError);
  expect(() => names.match("a", undefined as never)).toThrow(TypeError);
});

test("D-021: no key is reserved: names that match specs or objects use are keys like any other", async () => {
  const { names, owner } = await registry<unknown, string>();
  const self = owner();
  const keys = ["_", ":_", "$1", ":$1", "__proto__", "constructor", "", ["$1"], { $1: "_" }];
  for (const key of keys) expect(names.register(self, key, "v")).toEqual({ ok: true });
  for (const key of keys) expect(names.lookup(key)).toEqual([{ pid: self.pid, value: "v" }]);
  expect(names.lookup("toString")).toEqual([]);
});

test("D-025: with duplicate keys two processes hold one key, and each its own again", async () => {
  const { names, owner } = await registry<string, number>({ keys: "duplicate" });
  const [first, second] = [owner(), owner()];
  for (const [self, value] of [
    [first, 1],
    [second, 2],
    [first, 3],
  ] as const)
    expect(names.register(self, "k", value)).toEqual({ ok: true });
  expect(names.lookup("k")).toEqual([
    { pid: first.pid, value: 1 },
    { pid: second.pid, value: 2 },
    { pid: first.pid, value: 3 },
  ]);
  expect(names.values("k", first.pid)).toEqual([1, 3]);
  expect(names.keys(first.pid)).toEqual(["k", "k"]);
  names.unregister(first, "k");
  expect(names.lookup("k")).toEqual([{ pid: second.pid, value: 2 }]);
});

test("D-027: a parallel dispatch runs once for each partition that has entries, each in a process of its own", async () => {
  const { kernel, names, owner } = await registry<string, number>({
    keys: "duplicate",
    partitions: 2,
  });
  const owners = [owner(), owner(), owner(), owner()];
  for (const [index, self] of owners.entries()) names.register(self, "k", index);
  const calls: (readonly number[])[] = [];
  const seen = new Set<string>();
  const all = Promise.withResolvers<void>();
  const dispatched = names.dispatch(
    "k",
    async (entries) => {
      calls.push(entries.map(({ value }) => value));
      for (const { kind, pid } of kernel.processes()) if (kind === "task") seen.add(String(pid));
      if (calls.length === 2) all.resolve();
      await all.promise; // Each waits for the other: they run at the same time.
    },
    { parallel: true },
  );
  expectTypeOf(dispatched).toEqualTypeOf<Promise<void>>();
  await dispatched;
  expect(calls.toSorted(([a = 0], [b = 0]) => a - b)).toEqual([
    [0, 2],
    [1, 3],
  ]);
  expect(seen.size).toBe(2);
  // Without `parallel` in the caller, by partition too.
  const groups: (readonly number[])[] = [];
  names.dispatch("k", (entries) => void groups.push(entries.map(({ value }) => value)));
  expect(groups.toSorted(([a = 0], [b = 0]) => a - b)).toEqual([
    [0, 2],
    [1, 3],
  ]);
});

test("D-027: a crash in a parallel dispatch reaches the caller when all have ended", async () => {
  const { names, owner } = await registry<string>({ keys: "duplicate", partitions: 2 });
  for (const self of [owner(), owner()]) names.register(self, "k", undefined);
  let ran = 0;
  const dispatched = names.dispatch(
    "k",
    async () => {
      ran += 1;
      if (ran === 1) throw new Error("first");
    },
    { parallel: true },
  );
  await expect(dispatched).rejects.toThrow(TaskExitedError);
  await expect(dispatched).rejects.toThrow("first");
  expect(ran).toBe(2);
});

test("D-029: unregisterMatch removes only the own entries that fit", async () => {
  const { names, owner } = await registry<string, number>({ keys: "duplicate" });
  const [self, other] = [owner(), owner()];
  names.register(self, "k", 1);
  names.register(self, "k", 2);
  names.register(self, "other", 1);
  names.register(other, "k", 1);
  names.unregisterMatch(self, "k", (value) => value === 1);
  expect(names.select().map(({ key, pid, value }) => [key, pid.serial, value])).toEqual([
    ["k", self.pid.serial, 2],
    ["k", other.pid.serial, 1],
    ["other", self.pid.serial, 1],
  ]);
});

test("D-031: updateValue changes an own unique key; with duplicate keys it throws", async () => {
  const { kernel, names, owner } = await registry<string, number>();
  const [self, other] = [owner(), owner()];
  names.register(self, "k", 1);
  expect(names.updateValue(self, "k", (value) => value + 1)).toEqual({
    ok: true,
    value: 2,
    old: 1,
  });
  expect(names.updateValue(other, "k", () => 9)).toEqual({ ok: false, error: "not_registered" });
  expect(names.updateValue(self, "x", () => 9)).toEqual({ ok: false, error: "not_registered" });
  expect(names.lookup("k")).toEqual([{ pid: self.pid, value: 2 }]);
  const many = new Registry<string, number>(kernel, { name: "many", keys: "duplicate" });
  await many.start();
  many.register(self, "k", 1);
  expect(() => many.updateValue(self, "k", () => 2)).toThrow(TypeError);
});

test("D-033: the registry's own data: undefined before, then what was put, undefined once deleted", async () => {
  const { kernel } = await registry();
  const names = new Registry<string, number, { theme: string; size: number }>(kernel, {
    name: "own",
    keys: "unique",
    meta: { size: 3 },
  });
  await names.start();
  expect(names.meta("theme")).toBeUndefined();
  expect(names.meta("size")).toBe(3);
  names.putMeta("theme", "dark");
  expect(names.meta("theme")).toBe("dark");
  names.deleteMeta("theme");
  expect(names.meta("theme")).toBeUndefined();
  expectTypeOf(names.meta("size")).toEqualTypeOf<number | undefined>();
  // @ts-expect-error a size is a number
  expect(() => names.putMeta("size", "large")).not.toThrow();
  // @ts-expect-error no such data
  expect(names.meta("other")).toBeUndefined();
});

test("D-035: registering in vain again and again leaves nothing behind", async () => {
  const { kernel, names, owner, pid, end } = await registry();
  const [holder, other] = [owner(), owner()];
  names.register(holder, "k", 1);
  const before = { watching: kernel.watching, links: kernel.links };
  for (let count = 0; count < 1_000; count += 1) names.register(other, "k", count);
  expect({ watching: kernel.watching, links: kernel.links }).toEqual(before);
  expect(kernel.info(pid)?.details).toEqual({ keys: "unique", entries: 1, owners: 1, locks: 0 });
  await end(holder);
  expect(kernel.info(pid)?.details).toEqual({ keys: "unique", entries: 0, owners: 0, locks: 0 });
});

test("D1.4: the last key of a process lets go of its link and its watcher", async () => {
  const { kernel, names, owner, pid } = await registry();
  const self = owner();
  const before = { watching: kernel.watching, links: kernel.links };
  for (let round = 0; round < 100; round += 1) {
    for (const key of ["a", "b", "c"]) names.register(self, key, round);
    for (const key of ["c", "a", "b"]) names.unregister(self, key);
  }
  expect({ watching: kernel.watching, links: kernel.links }).toEqual(before);
  kernel.exit(pid, { type: "kill" });
  expect(kernel.isAlive(self.pid)).toBe(true);
});

test("a registry refuses more entries than it may have, processes that ended, and those of another node", async () => {
  const { kernel, names, owner } = await registry({ entriesMax: 2 });
  const self = owner();
  names.register(self, 1, 1);
  names.register(self, 2, 2);
  expect(() => names.register(self, 3, 3)).toThrow(RegistryFullError);
  names.unregister(self, 1);
  expect(names.register(self, 3, 3)).toEqual({ ok: true });
  kernel.exit(self.pid, fault);
  expect(names.register(self, 4, 4)).toEqual({ ok: false, error: "not_alive" });
  const stranger = idle(countingKernel().kernel);
  expect(() => names.register(stranger, 5, 5)).toThrow("another node");
  expect(names.count()).toBe(0);
});

test("options that are out of range are refused", () => {
  const { kernel } = countingKernel();
  const make = (options: object) => () =>
    new Registry(kernel, { name: "r", keys: "unique", ...options });
  for (const options of [{ name: "" }, { keys: "many" }, { partitions: 0 }, { partitions: 1.5 }])
    expect(make(options)).toThrow(RangeError);
});

test("the types of keys and values are those the registry was made for", async () => {
  const { names, owner } = await registry<[string, number], { readonly size: number }>();
  expectTypeOf(names.lookup(["a", 1])).toEqualTypeOf<Registered<{ readonly size: number }>[]>();
  expectTypeOf(names.keys(owner().pid)).toEqualTypeOf<[string, number][]>();
  expectTypeOf(names.lock(["a", 1], async () => 5)).resolves.toEqualTypeOf<number>();
  // @ts-expect-error a key is a string and a number
  names.lookup("a");
  // @ts-expect-error a value has a size
  names.register(owner(), ["a", 1], 5);
});

test("many processes come and go under one key, and leave nothing", async () => {
  const { kernel, names } = await registry<string, number>({ keys: "duplicate" });
  const owners = Array.from({ length: 20_000 }, () => idle(kernel));
  for (const [index, self] of owners.entries()) names.register(self, "k", index);
  expect(names.count()).toBe(20_000);
  for (const self of owners.slice(0, 10_000)) names.unregister(self, "k");
  for (const self of owners) kernel.exit(self.pid, fault);
  expect(names.count()).toBe(0);
});

test("the example of the registry runs", async () => {
  await runExample("registry.ts");
});
