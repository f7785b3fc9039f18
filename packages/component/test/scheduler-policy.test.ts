import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReadyQueue } from "../src/scheduler/ready-queue.ts";
import {
  decide,
  levelOf,
  nextFuel,
  sliceMsMax,
  unsuspendableMsMax,
  type Use,
} from "../src/scheduler/slice-policy.ts";

const calm: Use = {
  killed: false,
  callMs: 10,
  totalMs: 10,
  callMsMax: 100,
  totalMsMax: Infinity,
  sliceMs: 0.1,
  unsuspendableMs: undefined,
  othersWait: false,
  turnUsedUp: false,
};

const ms = fc.double({ min: 0, max: 1_000, noNaN: true });
const anyUse: fc.Arbitrary<Use> = fc.record({
  killed: fc.boolean(),
  callMs: ms,
  totalMs: ms,
  callMsMax: ms,
  totalMsMax: ms,
  sliceMs: ms,
  unsuspendableMs: fc.option(ms, { nil: undefined }),
  othersWait: fc.boolean(),
  turnUsedUp: fc.boolean(),
});

describe("what happens to a guest that used up its fuel", () => {
  test.for([
    ["goes on alone", {}, "go_on"],
    ["goes on beside others within its slice", { othersWait: true }, "go_on"],
    ["waits for others after its slice", { othersWait: true, sliceMs: sliceMsMax }, "yield"],
    [
      "waits sooner when its call just began",
      { othersWait: true, callMs: 0.3, sliceMs: 0.3 },
      "yield",
    ],
    ["waits for sockets and timers", { turnUsedUp: true }, "pause"],
    ["cannot wait inside the host", { turnUsedUp: true, unsuspendableMs: 1 }, "go_on"],
    ["ends inside the host", { unsuspendableMs: unsuspendableMsMax + 1 }, "unsuspendable"],
    ["ends with its call's budget", { callMs: 101 }, "cpu_per_call"],
    ["ends with its process's budget", { totalMs: 11, totalMsMax: 10 }, "cpu_per_process"],
    ["ends when killed", { killed: true }, "killed"],
  ] as const)("%s", ([, changes, decision]) => {
    expect(decide({ ...calm, ...changes })).toBe(decision);
  });

  test("P1: nothing keeps a killed guest going", () => {
    fc.assert(fc.property(anyUse, (use) => decide({ ...use, killed: true }) === "killed"));
  });

  test("P2: a guest that cannot wait is never asked to", () => {
    fc.assert(
      fc.property(anyUse, ms, (use, held) => {
        const decision = decide({ ...use, unsuspendableMs: held });
        return decision !== "yield" && decision !== "pause";
      }),
    );
  });

  test("P3: when the turn is used up, who can wait does not go on", () => {
    const used = anyUse.map((use) => ({ ...use, turnUsedUp: true, unsuspendableMs: undefined }));
    fc.assert(fc.property(used, (use) => decide(use) !== "go_on"));
  });
});

test("fuel settles where a fill takes a quarter of a millisecond", () => {
  for (const msPerUnit of [1e-6, 1e-5]) {
    let fuel = 100_000;
    for (let fill = 0; fill < 20; fill += 1) fuel = nextFuel(fuel, fuel * msPerUnit);
    expect(fuel * msPerUnit).toBeCloseTo(0.25, 2);
  }
  expect(nextFuel(100_000, 0)).toBe(200_000);
});

test("P4: short work comes first, and long work gets its quarter", () => {
  const queue = new ReadyQueue<"short" | "long">();
  const ran = { short: 0, long: 0 };
  for (let index = 0; index < 10; index += 1) queue.push("long", "long");
  for (let round = 0; round < 10_000; round += 1) {
    queue.push("short", "short"); // More than can be served.
    const level = queue.shift()!;
    const took = level === "short" ? 0.1 : 1;
    ran[level] += took;
    queue.ran(level, took);
    if (level === "long") queue.push("long", "long");
  }
  expect(ran.long / (ran.short + ran.long)).toBeCloseTo(0.25, 1);
});

test("the queue is first in, first out in each level", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000), { maxLength: 50 }), (bursts) => {
      const queue = new ReadyQueue<number>();
      let pushed = 0;
      let shifted = 0;
      for (const burst of bursts) {
        for (let left = burst; left > 0; left -= 1) queue.push("long", pushed++);
        for (let left = burst >> 1; left > 0; left -= 1) expect(queue.shift()).toBe(shifted++);
      }
      expect(queue.length).toBe(pushed - shifted);
    }),
    { numRuns: 30 },
  );
});

test("a call is long once it has used its first slice", () => {
  expect([0, 0.1, 0.3, 5].map(levelOf)).toEqual(["short", "short", "long", "long"]);
});
