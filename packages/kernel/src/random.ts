/**
 * Randomness as a parameter: the only source of ids, jitter and tie-breaks.
 *
 * @module
 */
import { randomInt } from "node:crypto";

/** Where randomness comes from. */
export interface Random {
  /** A whole number from 0 to 2^32 - 1, evenly spread. */
  readonly u32: () => number;
}

/** The machine's cryptographic generator. */
export const systemRandom: Random = { u32: () => randomInt(0x1_0000_0000) };

/** A generator that repeats itself exactly for the same 32-bit seed (mulberry32). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    u32: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return (t ^ (t >>> 14)) >>> 0;
    },
  };
}

/** A fresh identifier of `words` x 32 random bits, in lower-case base 36. Default: 2 words. */
export function randomId(random: Random, words = 2): string {
  return Array.from({ length: words }, () => random.u32().toString(36).padStart(7, "0")).join("");
}
