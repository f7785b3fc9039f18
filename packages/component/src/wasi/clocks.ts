/**
 * `wasi:clocks`: the guest's time is the host's `Clock`.
 *
 * @module
 */
import { Pollable } from "./poll.ts";
import type { Scope } from "./scope.ts";

const nsPerMs = 1_000_000;
const nsPerMsBig = 1_000_000n;
const msPerSecond = 1_000;

/** The interfaces by name. */
export function clocks(scope: Scope): Record<string, object> {
  const { clock } = scope;
  const now = (): bigint => BigInt(Math.round(clock.now() * nsPerMs));
  const after = (ns: bigint): Pollable => {
    const dueMs = clock.now() + Number(ns) / nsPerMs;
    return new Pollable(scope, {
      ready: () => clock.now() >= dueMs,
      // Rounded up, since a timer counts whole milliseconds: woken early, the guest would only ask again.
      listen: (notify) => clock.after(Math.max(0, Math.ceil(dueMs - clock.now())), notify),
    });
  };
  return {
    "wasi:clocks/monotonic-clock": {
      now,
      resolution: () => nsPerMsBig,
      subscribeDuration: after,
      subscribeInstant: (when: bigint) => {
        const ns = when - now();
        return after(ns < 0n ? 0n : ns);
      },
    },
    "wasi:clocks/wall-clock": {
      now: () => datetime(clock.wall()),
      resolution: () => ({ seconds: 0n, nanoseconds: nsPerMs }),
    },
    "wasi:clocks/timezone": {
      display: () => ({ utcOffset: 0, name: "UTC", inDaylightSavingTime: false }),
      utcOffset: () => 0,
    },
  };
}

/** WASI's form of a moment. */
export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** From milliseconds since 1970. */
export function datetime(ms: number): Datetime {
  const seconds = Math.floor(ms / msPerSecond);
  return {
    seconds: BigInt(seconds),
    nanoseconds: Math.round((ms - seconds * msPerSecond) * nsPerMs),
  };
}
