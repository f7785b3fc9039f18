/**
 * States that a good batch of runs reaches: one that never does tests less than it seems to.
 *
 * @module
 */

/** From this many seeds on, each of {@link expectedStates} is reached. */
export const seedsForAllStates = 1_000;

/** The states, as the runs count them. */
export const expectedStates = [
  "ack lost",
  "broadcasts lost",
  "call failed: exited, executed maybe",
  "call failed: exited, executed no",
  "call failed: noconnection, executed maybe",
  "call failed: noconnection, executed no",
  "call failed: timeout, executed maybe",
  "channel reopened",
  "claim failed",
  "conflict",
  "gap reported",
  "messages lost",
  "name release failed",
  "node gone",
  "node unreachable",
  "registered",
  "registered name lost",
  "renewal failed",
  "session expired",
  "session lost",
  "singleton stopped",
  "stopped in order",
  "takeover",
  "unregistered",
  "worker crashed again and again",
] as const;

/** Those that no run reached. */
export function neverReached(reached: ReadonlyMap<string, number>): string[] {
  return expectedStates.filter((state) => !reached.has(state));
}
