/**
 * The load of the remote-call benchmarks: so many calls in flight for so long, and what came of it.
 *
 * Run by each contender's asking process; the result goes to its parent as one line of JSON.
 *
 * @module
 */

/** One kind of load. */
export interface Load {
  readonly inFlight: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What one round of it gave. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Latencies kept at most: a sample of a fast run is enough for a percentile. */
const latenciesMax = 100_000;

export async function runLoad(load: Load, call: () => Promise<unknown>): Promise<LoadResult> {
  const latencies: number[] = [];
  let calls = 0;
  const until = { stopped: false };
  const ask = async (): Promise<void> => {
    while (!until.stopped) {
      const fromMs = performance.now();
      await call();
      calls += 1;
      if (latencies.length < latenciesMax) latencies.push(performance.now() - fromMs);
    }
  };
  const asking = Array.from({ length: load.inFlight }, ask);
  await wait(load.warmUpMs);
  latencies.length = 0;
  const callsBefore = calls;
  const fromMs = performance.now();
  await wait(load.measureMs);
  const perSecond = ((calls - callsBefore) / (performance.now() - fromMs)) * 1_000;
  const sorted = latencies.toSorted((a, b) => a - b);
  until.stopped = true;
  await Promise.all(asking);
  const at = (share: number): number => (sorted[Math.floor(sorted.length * share)] ?? 0) * 1_000;
  return { perSecond, p50Us: at(0.5), p99Us: at(0.99) };
}

/** Reads a load from the command line of an asking process: server, calls in flight, bytes, milliseconds twice. */
export function parseLoad(args: readonly string[]): {
  readonly server: string;
  readonly load: Load;
} {
  const [server = "", ...numbers] = args;
  const [inFlight = 1, payloadBytes = 16, warmUpMs = 500, measureMs = 1_500] = numbers.map(Number);
  return { server, load: { inFlight, payloadBytes, warmUpMs, measureMs } };
}

/** Tells the parent. */
export function report(value: LoadResult | "ready"): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
