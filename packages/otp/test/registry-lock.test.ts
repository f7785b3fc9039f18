import { LockBusyError, UnknownRegistryError } from "@coppice/otp";
import { expect, test } from "vitest";
import { fault, registry } from "./registry-under-test.ts";

/** A promise that the test settles. */
function gate() {
  return Promise.withResolvers<void>();
}

test("D-023: different keys do not wait for each other; the same key runs one after another, in order", async () => {
  const { names } = await registry();
  const log: string[] = [];
  const [first, other] = [gate(), gate()];
  const locked = (key: unknown, name: string, until?: Promise<void>) =>
    names.lock(key, async () => {
      log.push(`+${name}`);
      await until;
      log.push(`-${name}`);
      return name;
    });
  const results = [
    locked(["k"], "a", first.promise),
    locked(["k"], "b"),
    locked(["k"], "c"),
    locked("other", "d", other.promise),
  ];
  await names.lock("third", () => {});
  expect(log).toEqual(["+a", "+d"]);
  other.resolve();
  await results[3];
  first.resolve();
  expect(await Promise.all(results)).toEqual(["a", "b", "c", "d"]);
  expect(log).toEqual(["+a", "+d", "-d", "-a", "+b", "-b", "+c", "-c"]);
});

test("D-023: a lock is let go when its holder throws", async () => {
  const { names } = await registry();
  const failing = names.lock("k", () => Promise.reject(new Error("holder")));
  const next = names.lock("k", () => "next");
  await expect(failing).rejects.toThrow("holder");
  expect(await next).toBe("next");
});

test("D-023: a lock is let go when its holder ends, though what it runs cannot be unwound", async () => {
  const { kernel, names, owner } = await registry();
  const self = owner();
  const never = gate();
  const abandoned = names.lock("k", () => never.promise, { self });
  const next = names.lock("k", () => "next");
  kernel.exit(self.pid, fault);
  expect(await next).toBe("next");
  // What the ended holder does at last does not let go of what others hold by now.
  const [held, log] = [gate(), [] as string[]];
  const third = names.lock("k", () => held.promise);
  never.resolve();
  await abandoned;
  const fourth = names.lock("k", () => log.push("fourth"));
  await names.lock("other", () => {});
  expect(log).toEqual([]);
  held.resolve();
  await Promise.all([third, fourth]);
});

test("D-023: a waiter that ends leaves the queue, and the lock goes to the next", async () => {
  const { kernel, names, owner } = await registry();
  const held = gate();
  const holder = names.lock("k", () => held.promise);
  const self = owner();
  const log: string[] = [];
  const waiter = names.lock("k", () => log.push("ended waiter"), { self });
  const next = names.lock("k", () => log.push("next"));
  kernel.exit(self.pid, fault);
  await expect(waiter).rejects.toThrow(LockBusyError);
  held.resolve();
  await Promise.all([holder, next]);
  expect(log).toEqual(["next"]);
});

test("D1.8: a lock is waited for five seconds unless it is said otherwise", async () => {
  const { clock, names } = await registry();
  const held = gate();
  const holder = names.lock("k", () => held.promise);
  const outcomes: string[] = [];
  const note = (name: string, waiting: Promise<unknown>) =>
    waiting.then(
      () => outcomes.push(`${name} ran`),
      (error: unknown) => outcomes.push(`${name} ${(error as LockBusyError).code}`),
    );
  const all = [
    note(
      "short",
      names.lock("k", () => {}, { timeoutMs: 10 }),
    ),
    note(
      "default",
      names.lock("k", () => {}),
    ),
    note(
      "patient",
      names.lock("k", () => {}, { timeoutMs: Infinity }),
    ),
  ];
  await clock.advance(10);
  expect(outcomes).toEqual(["short lock_busy"]);
  await clock.advance(4_990);
  expect(outcomes).toEqual(["short lock_busy", "default lock_busy"]);
  held.resolve();
  await Promise.all([holder, ...all]);
  expect(outcomes[2]).toBe("patient ran");
});

test("D1.8: who waits for a lock is refused when the registry ends", async () => {
  const { kernel, names, pid, start } = await registry();
  const held = gate();
  const holder = names.lock("k", () => held.promise);
  const waiter = names.lock("k", () => {});
  kernel.exit(pid, { type: "kill" });
  await expect(waiter).rejects.toThrow(UnknownRegistryError);
  await start();
  const [nextLife, log] = [gate(), [] as string[]];
  const second = names.lock("k", () => nextLife.promise);
  held.resolve();
  await holder;
  const third = names.lock("k", () => log.push("third"));
  await names.lock("other", () => {});
  expect(log).toEqual([]); // The lock of the ended life lets go of nothing in this one.
  nextLife.resolve();
  await Promise.all([second, third]);
});
