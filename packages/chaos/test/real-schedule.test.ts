import fc from "fast-check";
import { seededRandom } from "@coppice/kernel";
import { describe, expect, test } from "vitest";
import { catalogue, faultsNamed } from "../src/real/faults/catalogue.ts";
import { parseRunOptions } from "../src/real/run-options.ts";
import { planFaults, type PlannedFault, shuffled } from "../src/real/schedule-policy.ts";

function first(count: number, seed: number, kinds = catalogue): PlannedFault[] {
  return planFaults(seed, kinds).take(count).toArray();
}

describe("the schedule of faults", () => {
  test("the same seed gives the same faults, another one others", () => {
    expect(first(100, 7)).toEqual(first(100, 7));
    expect(first(100, 8)).not.toEqual(first(100, 7));
  });

  test("every kind comes once in each round, within its length and after the calm it needs", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const rounds = 3;
        const planned = first(catalogue.length * rounds, seed);
        for (let round = 0; round < rounds; round += 1) {
          const kinds = planned.slice(round * catalogue.length, (round + 1) * catalogue.length);
          expect(new Set(kinds.map(({ kind }) => kind)).size).toBe(catalogue.length);
        }
        for (const { kind, lengthMs, pauseMs } of planned) {
          const { lengthMs: range, calmMs = 0 } = faultsNamed(kind)[0]!;
          expect(lengthMs).toBeGreaterThanOrEqual(range[0]);
          expect(lengthMs).toBeLessThanOrEqual(range[1]);
          expect(pauseMs).toBeGreaterThanOrEqual(calmMs);
        }
        expect(planned.map(({ number }) => number)).toEqual(planned.map((_, index) => index + 1));
      }),
    );
  });

  test("without kinds there is nothing to plan", () => {
    expect(() => first(1, 1, [])).toThrow(RangeError);
  });

  test("shuffling loses and adds nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.nat(), (items, seed) => {
        const ascending = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b);
        expect(ascending(shuffled(items, seededRandom(seed)))).toEqual(ascending(items));
      }),
    );
  });
});

describe("the options of a run", () => {
  const parse = (...args: string[]) => parseRunOptions(args, () => 42);

  test("there are more than a dozen kinds of fault, each with a name of its own and a description", () => {
    expect(catalogue.length).toBeGreaterThanOrEqual(12);
    expect(new Set(catalogue.map(({ kind }) => kind)).size).toBe(catalogue.length);
    for (const { description } of catalogue) expect(description).not.toBe("");
  });

  test("faults are chosen by name; an unknown name lists them", () => {
    expect(parse("--faults", "kill,freeze").faults.map(({ kind }) => kind)).toEqual([
      "kill",
      "freeze",
    ]);
    expect(() => parse("--faults", "kill,frieze")).toThrow(/no fault frieze; there are: kill, /);
    expect(parse().faults).toEqual(catalogue);
  });

  test("without a seed there is a new one; what makes no sense is refused", () => {
    expect(parse().seed).toBe(42);
    expect(parse("--seed", "7").seed).toBe(7);
    for (const args of [
      ["--servers", "2"],
      ["--nodes", "1"],
      ["--minutes", "0"],
      ["--seed", "x"],
    ])
      expect(() => parse(...args)).toThrow(RangeError);
  });
});
