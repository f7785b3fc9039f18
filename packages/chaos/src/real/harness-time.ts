/**
 * The one clock of a run: milliseconds on the machine's monotonic clock, the same in every process of it.
 *
 * A process whose clock is made to run at another rate cannot ask the C library for the time: it takes the kernel's
 * uptime once and corrects its own clock by the rate.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** Milliseconds since the machine started. */
export type HarnessTime = () => number;

const nanosecondsPerMs = 1e6;
const msPerSecond = 1e3;

/** For a process whose monotonic clock nobody has changed. */
export function harnessTime(): HarnessTime {
  const base = Number(process.hrtime.bigint()) / nanosecondsPerMs - performance.now();
  return () => base + performance.now();
}

/** How far the kernel's uptime is behind the monotonic clock, in milliseconds: for {@link harnessTimeAtRate}. */
export function uptimeLagMs(): number {
  const now = harnessTime();
  const uptimeMs = nextUptimeMs();
  return now() - uptimeMs;
}

/** For a process whose clocks run `rate` times as fast as they should. */
export function harnessTimeAtRate(rate: number, lagMs: number): HarnessTime {
  const realMs = nextUptimeMs() + lagMs;
  const ownMs = performance.now();
  return () => realMs + (performance.now() - ownMs) / rate;
}

/** The uptime at the moment it changes: it has two decimals. */
function nextUptimeMs(): number {
  const read = (): string => readFileSync("/proc/uptime", "utf8").split(" ")[0]!;
  const before = read();
  for (;;) {
    const after = read();
    if (after !== before) return Number(after) * msPerSecond;
  }
}
