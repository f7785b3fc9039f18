/**
 * Runs each seed in two threads, which must leave the same trace.
 *
 * @module
 */
import { runSeeds } from "./seed-runner.ts";
import type { Failure } from "./simulation-worker.ts";
import type { SourcePatch } from "./source-patch.ts";

/** What to run twice. */
export interface RunTwiceOptions {
  readonly from: number;
  readonly count: number;
  /** Threads in all: half of them run each seed first, the others again; two at least. */
  readonly workers: number;
  /** Default: none. */
  readonly patches?: readonly SourcePatch[];
}

/** What two runs of some seeds had in common. */
export interface RunTwiceResult {
  readonly count: number;
  /** The seeds whose traces differ, or of which one run broke off, in order. */
  readonly different: readonly number[];
  /** Seeds that broke a promise in the first run. */
  readonly failures: readonly Failure[];
}

export async function runTwice(options: RunTwiceOptions): Promise<RunTwiceResult> {
  const { from, count, patches = [] } = options;
  const workers = Math.max(1, Math.floor(options.workers / 2));
  const waiting = new Map<number, string>();
  const different: number[] = [];
  let compared = 0;
  const onTrace = (seed: number, traceHash: string): void => {
    const other = waiting.get(seed);
    if (other === undefined) return void waiting.set(seed, traceHash);
    waiting.delete(seed);
    compared += 1;
    if (other !== traceHash) different.push(seed);
  };
  const run = { from, count, workers, patches, stopAtFailure: false, onTrace };
  // In another order, so that what one seed leaves behind in its thread shows too.
  const again = { ...run, backwards: true };
  const [{ failures }] = await Promise.all([runSeeds(run), runSeeds(again)]);
  // Those of which only one run has a trace.
  different.push(...waiting.keys());
  return { count: compared, different: different.sort((a, b) => a - b), failures };
}
