/**
 * Waiting for a condition on any clock: the machine's, or a simulated one that somebody else moves.
 *
 * @module
 */
import { type Clock, sleep, systemClock } from "@coppice/kernel";

export interface EventuallyOptions {
  /** How long it may take, in milliseconds. Default: 10,000. */
  readonly withinMs?: number;
  /** How often it is looked, in milliseconds. Default: 20. */
  readonly everyMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Waits until the condition holds, and returns how long it took, in milliseconds. A condition that throws does not hold yet.
 *
 * @throws {Error} if it does not hold in time, with what it threw last as its cause.
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  { withinMs = 10_000, everyMs = 20, clock = systemClock }: EventuallyOptions = {},
): Promise<number> {
  const fromMs = clock.now();
  while (true) {
    let cause: unknown;
    try {
      if (await condition()) return clock.now() - fromMs;
    } catch (thrown) {
      cause = thrown;
    }
    if (clock.now() - fromMs >= withinMs)
      throw new Error(`not within ${withinMs} ms: ${String(condition)}`, { cause });
    await sleep(clock, everyMs);
  }
}
