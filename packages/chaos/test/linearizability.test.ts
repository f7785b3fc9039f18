import {
  checkLinearizability,
  type Operation,
  operationsMax,
  type RegisterInput,
  registerModel,
  type RegisterOutput,
  unknownMax,
} from "@coppice/chaos";
import { type Random, seededRandom } from "@coppice/kernel";
import { simulatedClock } from "@coppice/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

const check = (operations: readonly RegisterOperation[]) =>
  checkLinearizability(registerModel("-"), operations, { clock: simulatedClock() });

const read = (beganMs: number, endedMs: number, output: string): RegisterOperation => ({
  client: "r",
  beganMs,
  endedMs,
  input: { type: "read" },
  output,
});
const write = (beganMs: number, endedMs: number | undefined, value: string): RegisterOperation => ({
  client: "w",
  beganMs,
  ...(endedMs === undefined ? {} : { endedMs }),
  input: { type: "write", value },
});
const swap = (
  beganMs: number,
  endedMs: number,
  [expected, value]: readonly [string, string],
  output: boolean,
): RegisterOperation => ({
  client: "s",
  beganMs,
  endedMs,
  input: { type: "swap", expected, value },
  output,
});

describe("accepted", () => {
  test.for<[string, RegisterOperation[]]>([
    ["nothing", []],
    ["a read of what was written before", [write(0, 1, "x"), read(2, 3, "x")]],
    ["a read of the old value while it is written", [write(0, 9, "x"), read(1, 2, "-")]],
    ["two reads that saw a write come", [write(0, 9, "x"), read(1, 2, "-"), read(3, 4, "x")]],
    ["a write that nobody knows of", [write(0, undefined, "x"), read(5, 6, "-")]],
    ["one that happened late", [write(0, undefined, "x"), read(5, 6, "-"), read(7, 8, "x")]],
    ["a swap that fails", [write(0, 1, "x"), swap(2, 3, ["-", "y"], false), read(4, 5, "x")]],
  ])("%s", ([, operations]) => {
    expect(check(operations)).toEqual({ verdict: "linearizable" });
  });
});

describe("rejected", () => {
  const late = read(2, 3, "-");
  const back = read(5, 6, "-");
  const second = swap(2, 3, ["-", "z"], true);
  test.for<[string, RegisterOperation[], RegisterOperation]>([
    ["a read of what was overwritten before", [write(0, 1, "x"), late], late],
    ["a value that comes back", [write(0, 9, "x"), read(1, 2, "x"), back], back],
    ["two swaps from one value", [swap(0, 1, ["-", "y"], true), second], second],
  ])("%s", ([, operations, stuckAt]) => {
    expect(check(operations)).toEqual({ verdict: "not linearizable", stuckAt });
  });
});

test("too many operations are refused with the limits", () => {
  const many = Array.from({ length: operationsMax + 1 }, (_, index) => read(index, index, "-"));
  expect(() => check(many)).toThrow(/501 operations, 0 of unknown outcome: at most 500 and 10/);
  const unknown = Array.from({ length: unknownMax + 1 }, () => write(0, undefined, "x"));
  expect(() => check(unknown)).toThrow(RangeError);
});

test("what takes too long is unknown", () => {
  let nowMs = 0;
  const clock = { ...simulatedClock(), now: () => (nowMs += 1) };
  // Writes that all overlap, and a read of what none of them wrote.
  const writes = Array.from({ length: 16 }, (_, index) => write(0, 100, String(index)));
  const operations = [...writes, read(50, 101, "none")];
  const options = { clock, budgetMs: 10 };
  expect(checkLinearizability(registerModel("-"), operations, options)).toMatchObject({
    verdict: "unknown",
  });
});

/** Operations at random that a register really did, each at one point between its begin and its end. */
function realHistory(random: Random, count: number): RegisterOperation[] {
  const below = (max: number): number => random.u32() % max;
  let state = "-";
  return Array.from({ length: count }, (_, index) => {
    const atMs = index * 10;
    const [beganMs, endedMs] = [atMs - below(40), atMs + below(40)];
    if (below(2) === 0) return read(beganMs, endedMs, state);
    state = String(index);
    return write(beganMs, endedMs, state);
  });
}

test("whatever a register does is accepted, and a read of what it never held is found", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), fc.integer({ min: 1, max: 60 }), (seed, count) => {
      const history = realHistory(seededRandom(seed), count);
      expect(check(history)).toEqual({ verdict: "linearizable" });
      const broken = [...history, read(count * 10 + 50, count * 10 + 60, "never")];
      expect(check(broken)).toMatchObject({ verdict: "not linearizable" });
    }),
    { numRuns: 200 },
  );
});
