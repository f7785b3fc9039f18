import type { Incoming, Self } from "@coppice/kernel";
import { normal } from "@coppice/kernel";
import { simulatedClock } from "@coppice/testkit";
import { describe, expect, test } from "vitest";
import { endOf, eventLogger, kernelOf, pairOfKernels, puppet, settled } from "./nodes.ts";

/** Runs code as a process and hands out what it returns. */
function inProcess<T>(
  run: (self: Self) => Promise<T>,
  kernel = kernelOf("a"),
): { readonly pid: ReturnType<typeof kernel.spawn>; readonly result: Promise<T> } {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const pid = kernel.spawn((self) => run(self).then(resolve, reject), { mailboxCapacity: 200_000 });
  return { pid, result: promise };
}

const text = (message: Incoming | undefined): unknown =>
  message?.type === "info" ? message.message : message;
const is =
  (wanted: unknown) =>
  (message: Incoming): boolean =>
    text(message) === wanted;

describe("order", () => {
  test("A-039: 100,000 messages arrive in sending order, none is lost", async () => {
    const kernel = kernelOf("a");
    const count = 100_000;
    const outcome = Promise.withResolvers<unknown>();
    let next = 0;
    const pid = kernel.spawn(
      {
        handle: (message) => {
          if (text(message) !== next) outcome.resolve(`${String(text(message))}, not ${next}`);
          next += 1;
          if (next === count) outcome.resolve("all");
        },
      },
      { mailboxCapacity: count },
    );
    for (let each = 0; each < count; each += 1) kernel.send(pid, each);
    expect(await outcome.promise).toBe("all");
  });

  test("A-041: the messages of each of two senders keep their order", async () => {
    const { a, b } = pairOfKernels();
    const target = puppet(b);
    for (let count = 0; count < 100; count += 1) {
      a.send(target.pid, ["a", count]);
      b.send(target.pid, ["b", count]);
    }
    while (target.inbox.length < 200) await target.next();
    for (const sender of ["a", "b"]) {
      const own = target.inbox.map(text).filter((each) => (each as string[])[0] === sender);
      expect(own).toEqual(Array.from({ length: 100 }, (_, count) => [sender, count]));
    }
  });

  test("A6.3: a message sent before the end arrives before it", async () => {
    const kernel = kernelOf("a");
    const watcher = puppet(kernel);
    const pid = watcher.self.spawn((self) => void self.send(watcher.pid, "last words"));
    watcher.self.monitor(pid);
    expect(text(await watcher.next())).toBe("last words");
    expect(await watcher.next()).toMatchObject({ type: "down", reason: normal });
  });
});

describe("selective receive", () => {
  test("A7.1: takes the oldest that matches, and leaves the others in order", async () => {
    const { result } = inProcess(async (self) => {
      for (const each of ["a", "b", "c", "b"]) self.remind(each);
      const seen = [await self.receive(is("b")), await self.receive(), await self.receive()];
      return seen.map(text);
    });
    expect(await result).toEqual(["b", "a", "c"]);
  });

  test("A-043: timeout 0 finds what has arrived", async () => {
    const kernel = kernelOf("a");
    const { pid, result } = inProcess(async (self) => {
      self.remind("here");
      const found = await self.receive(is("here"), { timeoutMs: 0 });
      const none = await self.receive(is("here"), { timeoutMs: 0 });
      return [text(found), none];
    }, kernel);
    expect(await result).toEqual(["here", undefined]);
    expect(await endOf(kernel, pid)).toMatchObject({
      type: expect.stringMatching(/normal|noproc/),
    });
  });

  test("waits until its time is up, and the process goes on", async () => {
    const clock = simulatedClock();
    const kernel = kernelOf("a", eventLogger(), clock);
    const { result } = inProcess(
      async (self) => (await self.receive(is("never"), { timeoutMs: 1_000 })) ?? "time is up",
      kernel,
    );
    await clock.advance(999);
    expect(clock.pending()).toBe(1);
    await clock.advance(1);
    expect(await result).toBe("time is up");
  });

  test("a process that ends lets go of what waits in receive", async () => {
    const kernel = kernelOf("a");
    const released = Promise.withResolvers<unknown>();
    const pid = kernel.spawn(async (self) => {
      try {
        await self.receive();
      } catch (thrown) {
        released.resolve(thrown);
        throw thrown;
      }
    });
    await settled(kernel);
    kernel.exit(pid, { type: "shutdown" });
    expect(await released.promise).toMatchObject({ code: "exit", reason: { type: "shutdown" } });
  });

  test("a call can be taken and answered", async () => {
    const kernel = kernelOf("a");
    const pid = kernel.spawn(async (self) => {
      const message = await self.receive(({ type }) => type === "call");
      if (message.type === "call") message.reply({ ok: true, value: message.args });
    });
    expect(await kernel.call(pid, "anything", [1, 2])).toEqual([1, 2]);
  });

  test("B-077: an answer is found behind 100,000 waiting messages without looking at them", async () => {
    const kernel = kernelOf("a");
    const server = kernel.spawn({
      handle: (message) => {
        if (message.type === "info") kernel.send(message.message as never, "answer");
        if (message.type === "call") message.reply({ ok: true, value: "answer" });
      },
    });
    let looked = 0;
    const { result } = inProcess(async (self) => {
      for (let count = 0; count < 100_000; count += 1) self.remind(count);
      const called = await self.call(server, "get", []);
      const since = self.mark();
      self.send(server, self.pid);
      const counting = (message: Incoming): boolean => {
        looked += 1;
        return text(message) === "answer";
      };
      return [called, text(await self.receive(counting, { since }))];
    }, kernel);
    expect(await result).toEqual(["answer", "answer"]);
    expect(looked).toBe(1);
  });

  test("two receives of one process at once are refused", async () => {
    const { result } = inProcess(async (self) => {
      const first = self.receive(is("a"));
      const second = await self.receive(is("b")).catch((thrown: Error) => thrown.message);
      self.remind("a");
      return [text(await first), second];
    });
    expect(await result).toEqual(["a", expect.stringContaining("waits in another receive")]);
  });
});
