import { percentile } from "@coppice/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";

test("a percentile is the nearest rank, in whatever order the samples are", () => {
  const samples = [40, 10, 30, 20];
  expect([0, 0.25, 0.5, 0.51, 0.99, 1].map((share) => percentile(samples, share))).toEqual([
    10, 10, 20, 30, 40, 40,
  ]);
  expect(percentile([7], 0.5)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
});

test("it is one of the samples, and at least that share of them does not exceed it", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), share, (samples, of) => {
      const value = percentile(samples, of);
      expect(samples).toContain(value);
      const below = samples.filter((each) => each <= value).length;
      expect(below).toBeGreaterThanOrEqual(Math.ceil(samples.length * of));
    }),
  );
});
