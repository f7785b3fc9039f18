/**
 * A WebAssembly component with a name, called all the time, and made to misbehave on request.
 *
 * @module
 */
import { CallError } from "@coppice/kernel";
import { component } from "@coppice/component";
import { pace, type Workload, type WorkloadContext } from "./workload.ts";

export const guestName = "guest";

/** What the guest can be made to do. */
export const misdeeds = ["trap", "loop", "memory", "flood"] as const;
export type Misdeed = (typeof misdeeds)[number];

const callsPerSecond = 20;
const callTimeoutMs = 2_000;
const memoryBytes = 32 << 20;
const cpuMsPerCall = 200;
const floodCalls = 5_000;
const exports: Readonly<Record<Exclude<Misdeed, "flood">, string>> = {
  trap: "trap",
  loop: "spin",
  memory: "hoard",
};

export interface GuestWorkload extends Workload {
  readonly misbehave: (misdeed: Misdeed) => void;
}

export function guestWorkload(
  { node, random }: WorkloadContext,
  options: { readonly path: string; readonly cacheDir: string },
): GuestWorkload {
  const counts = { guestAnswers: 0, guestFailures: 0, guestWrongAnswers: 0, guestMisdeeds: 0 };
  const call = async (method: string, args: readonly number[]): Promise<unknown> => {
    try {
      return await node.call(guestName, method, args, { timeoutMs: callTimeoutMs });
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
      counts.guestFailures += 1;
      return undefined;
    }
  };
  const add = async (): Promise<void> => {
    const [a, b] = [random.u32() % 1_000, random.u32() % 1_000];
    const sum = await call("add", [a, b]);
    if (sum === undefined) return;
    counts[sum === a + b ? "guestAnswers" : "guestWrongAnswers"] += 1;
  };
  let stopPacing: (() => void) | undefined;
  const limits = { memoryBytes, cpuMsPerCall };
  return {
    children: [component({ id: guestName, name: guestName, ...options, limits })],
    start: () => {
      stopPacing = pace(callsPerSecond, () => void add());
    },
    stop: () => stopPacing?.(),
    counts: () => counts,
    misbehave: (misdeed) => {
      counts.guestMisdeeds += 1;
      if (misdeed === "flood") for (let sent = 0; sent < floodCalls; sent += 1) void add();
      else void call(exports[misdeed], []);
    },
  };
}
