/**
 * What a faulty connection does to the messages of one direction.
 *
 * @module
 */
import type { Random } from "@coppice/kernel";

/** Faults of one direction. May be changed at any time. */
export interface LinkFaults {
  /** Each message is late by this much, evenly spread, in milliseconds. Its order on the connection stays. */
  readonly delayMs: readonly [min: number, max: number];
  /** The share of messages that is lost, 0 to 1. */
  readonly loss: number;
  /** The share of messages that arrives twice, 0 to 1. */
  readonly duplicates: number;
  /** Nothing passes, and nobody is told. */
  readonly cut: boolean;
}

export const noFaults: LinkFaults = { delayMs: [0, 0], loss: 0, duplicates: 0, cut: false };

/** How often a message arrives, and how late. */
export interface Fate {
  readonly copies: number;
  readonly delayMs: number;
}

export function fateOf({ delayMs, loss, duplicates, cut }: LinkFaults, random: Random): Fate {
  const share = (): number => random.u32() / 2 ** 32;
  const [min, max] = delayMs;
  const late = min + share() * (max - min);
  if (cut || share() < loss) return { copies: 0, delayMs: late };
  return { copies: share() < duplicates ? 2 : 1, delayMs: late };
}
