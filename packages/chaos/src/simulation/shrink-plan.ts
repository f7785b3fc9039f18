/**
 * Makes a fault plan that breaks a promise as small as it gets: fewer faults first, then shorter and earlier ones.
 *
 * @module
 */
import fc from "fast-check";
import type { Fault, FaultPlan } from "./fault-plan.ts";

/** How long it may take, in milliseconds. */
export const shrinkMsMax = 60_000;

/** `fails`: whether a plan still breaks it. Returns the smallest that does, which may be `plan` itself. */
export async function shrinkPlan(
  plan: FaultPlan,
  fails: (plan: FaultPlan) => Promise<boolean>,
): Promise<FaultPlan> {
  const fewer = await smallest(fc.subarray([...plan]), [...plan], fails);
  if (fewer.length === 0) return fewer;
  const times = fc.tuple(
    ...fewer.map(({ atMs, durationMs }) =>
      fc.tuple(fc.integer({ min: 0, max: atMs }), fc.integer({ min: 0, max: durationMs })),
    ),
  );
  const withTimes = (all: readonly (readonly [number, number])[]): Fault[] =>
    fewer.map((fault, index) => {
      const [atMs, durationMs] = all[index]!;
      return { ...fault, atMs, durationMs };
    });
  const shortest = await smallest(
    times,
    fewer.map(({ atMs, durationMs }): [number, number] => [atMs, durationMs]),
    (all) => fails(withTimes(all)),
  );
  return withTimes(shortest);
}

async function smallest<T>(
  arbitrary: fc.Arbitrary<T>,
  known: T,
  fails: (value: T) => Promise<boolean>,
): Promise<T> {
  let best = known;
  const property = fc.asyncProperty(arbitrary, async (value) => {
    const failed = await fails(value);
    if (failed) best = value;
    return !failed;
  });
  await fc.check(property, {
    examples: [[known]],
    numRuns: 1,
    interruptAfterTimeLimit: shrinkMsMax / 2,
  });
  return best;
}
