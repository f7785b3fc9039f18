/**
 * Which fault comes when: a pure function of the seed.
 *
 * Every kind comes once before any comes again, each round in another order, so that a short run has seen them all.
 *
 * @module
 */
import { type Random, seededRandom } from "@coppice/kernel";

/** What the schedule has to know of a kind of fault. */
export interface Schedulable {
  readonly kind: string;
  /** The least and the most time until it is taken back, in milliseconds. */
  readonly lengthMs: readonly [least: number, most: number];
  /** How long nothing is done before it at least, in milliseconds: what it promises, it promises a calm cluster. */
  readonly calmMs?: number;
}

export interface PlannedFault {
  /** Counts from 1. */
  readonly number: number;
  readonly kind: string;
  /** How long nothing is done before it, in milliseconds. */
  readonly pauseMs: number;
  readonly lengthMs: number;
  /** What the fault draws its targets and strengths from. */
  readonly seed: number;
}

/** Sometimes a fault comes while the cluster still recovers from the last one. */
const pauseMsRange = [500, 6_000] as const;

/** Without end. @throws {RangeError} if there are no kinds. */
export function* planFaults(
  seed: number,
  kinds: readonly Schedulable[],
): Generator<PlannedFault, never> {
  if (kinds.length === 0) throw new RangeError("there are no kinds of fault to plan with");
  const random = seededRandom(seed);
  for (let number = 1; ;)
    for (const { kind, lengthMs, calmMs = 0 } of shuffled(kinds, random)) {
      yield {
        number,
        kind,
        pauseMs: Math.max(calmMs, within(pauseMsRange, random)),
        lengthMs: within(lengthMs, random),
        seed: random.u32(),
      };
      number += 1;
    }
}

/** In another order, each equally likely. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = random.u32() % (last + 1);
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

/** A whole number of the range, both ends included. */
export function within([least, most]: readonly [number, number], random: Random): number {
  return least + (random.u32() % (most - least + 1));
}

/** One of them. @throws {RangeError} if there are none. */
export function oneOf<T>(items: readonly T[], random: Random): T {
  if (items.length === 0) throw new RangeError("there is nothing to choose from");
  return items[random.u32() % items.length]!;
}
