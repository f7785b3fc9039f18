import { normal, timerDelayMsMax } from "@coppice/kernel";
import { simulatedClock } from "@coppice/testkit";
import { describe, expect, test } from "vitest";
import { eventLogger, kernelOf, puppet } from "./nodes.ts";

function start() {
  const clock = simulatedClock();
  const kernel = kernelOf("a", eventLogger(), clock);
  return { clock, kernel, target: puppet(kernel) };
}

describe("timers", () => {
  test("A7.3: a message is sent when the time has passed, not before", async () => {
    const { clock, target } = start();
    target.self.sendAfter(100, "tick");
    const ref = target.self.startTimer(100, "tock");
    await clock.advance(99);
    expect(target.inbox).toEqual([]);
    await clock.advance(1);
    expect(target.inbox).toEqual([
      { type: "info", message: "tick" },
      { type: "info", message: { type: "timeout", ref, message: "tock" } },
    ]);
  });

  test("A-045: cancel tells how much was left, then false", async () => {
    const { clock, kernel, target } = start();
    const ref = target.self.sendAfter(1_000, "never");
    await clock.advance(400);
    expect([target.self.cancelTimer(ref), target.self.cancelTimer(ref)]).toEqual([600, false]);
    await clock.advance(1_000);
    expect([target.inbox, kernel.pending.timers]).toEqual([[], 0]);
  });

  test("A-047: a timer to a pid ends with the process", async () => {
    const { clock, kernel, target } = start();
    const ref = target.self.sendAfter(1_000, "never");
    expect(kernel.info(target.pid)!.timers).toBe(1);
    target.self.exit(normal);
    expect([kernel.readTimer(ref), kernel.pending.timers, clock.pending()]).toEqual([false, 0, 0]);
    expect(kernel.readTimer(kernel.sendAfter(10, target.pid, "late"))).toBe(false);
  });

  test("A-049: a live timer can be read; a cancelled one is false", async () => {
    const { clock, target } = start();
    const ref = target.self.sendAfter(1_000, "never");
    await clock.advance(250);
    expect(target.self.readTimer(ref)).toBe(750);
    target.self.cancelTimer(ref);
    expect(target.self.readTimer(ref)).toBe(false);
  });

  test("A7.4: a timer to a name looks the name up when it fires; nobody there is no error", async () => {
    const { clock, kernel, target } = start();
    target.self.sendAfter(10, "hello", "later");
    target.self.sendAfter(10, "hello", "nobody");
    const late = puppet(kernel, { name: "later" });
    await clock.advance(10);
    expect(late.inbox).toEqual([{ type: "info", message: "hello" }]);
  });

  test("a time that is none is refused", () => {
    const { kernel, target } = start();
    for (const ms of [-1, Number.NaN, Infinity, timerDelayMsMax + 1])
      expect(() => target.self.sendAfter(ms, "x")).toThrow(RangeError);
    expect(() => target.self.sendAfter(1, () => 1)).toThrow(/message is a function/);
    expect(kernel.pending.timers).toBe(0);
  });

  test("a timer that is longer than the clock can wait at once fires when it should", async () => {
    const { clock, target } = start();
    target.self.sendAfter(3_000_000_000, "far");
    await clock.advance(2_999_999_999);
    expect(target.inbox).toEqual([]);
    await clock.advance(1);
    expect(target.inbox.length).toBe(1);
  });
});
