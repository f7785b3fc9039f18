import { type ExitReason, isNormalLike } from "@coppice/kernel";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AutoShutdown, endsSupervisor } from "../src/auto-shutdown-policy.ts";
import { partitionOf } from "../src/partition-policy.ts";
import { countRestarts, recordRestart, type RestartHistory } from "../src/restart-intensity.ts";
import { afterExit, isReported, type Restart, restartGroup } from "../src/restart-policy.ts";

const reasons = fc.constantFrom<ExitReason>(
  { type: "normal" },
  { type: "shutdown" },
  { type: "shutdown", detail: 1 },
  { type: "kill" },
  { type: "killed" },
  { type: "noproc" },
  { type: "noconnection" },
  { type: "exit", value: "x" },
  { type: "error", error: { name: "Error", message: "x" } },
);
const restarts = fc.constantFrom<Restart>("permanent", "transient", "temporary");

/** OTP's own algorithm (C6), as it is written there: a list of seconds, newest first. */
function otpRestart(
  history: readonly number[],
  nowMs: number,
  { maxRestarts, maxSeconds }: { readonly maxRestarts: number; readonly maxSeconds: number },
): { readonly history: readonly number[]; readonly exceeded: boolean } {
  const now = Math.floor(nowMs / 1_000);
  const tooOld = history.findIndex((second) => second < now - maxSeconds);
  const recent = [now, ...(tooOld < 0 ? history : history.slice(0, tooOld))];
  return { history: recent, exceeded: recent.length > maxRestarts };
}

describe("restart intensity", () => {
  const crashes = fc.array(fc.oneof(fc.nat(400), fc.nat(3_000), fc.nat(30_000)), { maxLength: 60 });
  const intensities = fc.record({
    maxRestarts: fc.nat(6),
    maxSeconds: fc.integer({ min: 1, max: 8 }),
  });

  test("decides as OTP's algorithm, whenever the crashes are", () => {
    fc.assert(
      fc.property(
        crashes,
        intensities,
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (pauses, intensity, startMs) => {
          let nowMs = startMs;
          let ours: RestartHistory = [];
          let theirs: readonly number[] = [];
          for (const pause of pauses) {
            nowMs += pause;
            const next = recordRestart(ours, nowMs, intensity);
            const oracle = otpRestart(theirs, nowMs, intensity);
            expect(next.exceeded).toBe(oracle.exceeded);
            expect(countRestarts(next.history)).toBe(oracle.history.length);
            ours = next.history;
            theirs = oracle.history;
          }
        },
      ),
    );
  });

  test("keeps no more than one entry for each second of the window, however many crashes there are", () => {
    fc.assert(
      fc.property(crashes, intensities, (pauses, intensity) => {
        let nowMs = 0;
        let history: RestartHistory = [];
        for (const pause of pauses) {
          nowMs += pause;
          ({ history } = recordRestart(history, nowMs, intensity));
          expect(history.length).toBeLessThanOrEqual(intensity.maxSeconds + 1);
        }
      }),
    );
  });

  test("does not change the history it was given", () => {
    const history = Object.freeze([Object.freeze({ second: 1, count: 1 })]);
    recordRestart(history, 1_500, { maxRestarts: 3, maxSeconds: 5 });
    expect(history).toEqual([{ second: 1, count: 1 }]);
  });
});

describe("restart policy", () => {
  test("C4.1: permanent always, transient after what is not normal, temporary never", () => {
    fc.assert(
      fc.property(restarts, reasons, (restart, reason) => {
        const normalLike = isNormalLike(reason);
        const expected = {
          permanent: "restart",
          transient: normalLike ? "keep" : "restart",
          temporary: "drop",
        } as const;
        expect(afterExit(restart, reason)).toBe(expected[restart]);
        expect(isReported(restart, reason)).toBe(restart === "permanent" || !normalLike);
      }),
    );
  });

  test("C5: the group of a strategy holds the child, in start order, and those the strategy says", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(49), (count, at) => {
        const index = at % count;
        const all = Array.from({ length: count }, (_, position) => position);
        expect(restartGroup("one_for_one", count, index)).toEqual([index]);
        expect(restartGroup("one_for_all", count, index)).toEqual(all);
        expect(restartGroup("rest_for_one", count, index)).toEqual(all.slice(index));
      }),
    );
  });
});

describe("auto-shutdown policy", () => {
  const modes = fc.constantFrom<AutoShutdown>("never", "any_significant", "all_significant");

  test("C9: only a significant child ends its supervisor: any, or the last", () => {
    fc.assert(
      fc.property(modes, fc.boolean(), fc.boolean(), (mode, significant, othersActive) => {
        const expected = {
          never: false,
          any_significant: significant,
          all_significant: significant && !othersActive,
        };
        expect(endsSupervisor(mode, significant, othersActive)).toBe(expected[mode]);
      }),
    );
  });
});

describe("partition policy", () => {
  const partitions = fc.integer({ min: 1, max: 65_536 });
  const keys = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
  });

  test("C12: every key belongs to one partition there is, always the same", () => {
    fc.assert(
      fc.property(keys, partitions, (key, count) => {
        const partition = partitionOf(key, count);
        expect(Number.isInteger(partition) && partition >= 0 && partition < count).toBe(true);
        expect(Object.is(partition, -0)).toBe(false);
        expect(partitionOf(key, count)).toBe(partition);
      }),
    );
  });

  test("C12: whole numbers go round: the remainder of the absolute value", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), partitions, (key, count) => {
        expect(partitionOf(key, count)).toBe(Math.abs(key) % count);
        expect(partitionOf(BigInt(key), count)).toBe(partitionOf(key, count));
      }),
    );
  });

  test("C12: texts spread: none of 8 partitions gets more than twice its share of 8 000 keys", () => {
    const counts = Array<number>(8).fill(0);
    for (let index = 0; index < 8_000; index += 1) counts[partitionOf(`user-${index}`, 8)]! += 1;
    expect(Math.max(...counts)).toBeLessThan(2_000);
  });
});
