/**
 * Runs seeds on worker threads, and gives up a seed that never ends.
 *
 * @module
 */
import { type Clock, systemClock } from "@coppice/kernel";
import { Worker } from "node:worker_threads";
import type { Violation } from "../history.ts";
import type { FaultKind, FaultPlan } from "./fault-plan.ts";
import type { Failure, WorkerAnswer, WorkerData, WorkerRequest } from "./simulation-worker.ts";
import type { SourcePatch } from "./source-patch.ts";

/** How many seeds a worker gets at a time. */
const seedsPerRequest = 25;
/** How long one request may take before its seed counts as one that never ends, in milliseconds. */
export const requestMsMax = 120_000;

/** A worker's room for young objects, in megabytes: with less of it, much of each run is copied before it is garbage. */
const youngMegabytes = 64;

/** What to run. */
export interface SeedRunOptions {
  readonly from: number;
  readonly count: number;
  readonly workers: number;
  /** A planted bug. Default: none. */
  readonly patches?: readonly SourcePatch[];
  /** What may go wrong. Default: everything. */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** Ends with the first failure. Default: true. */
  readonly stopAtFailure?: boolean;
  /** Begins with the last seeds, twenty-five at a time. Default: false. */
  readonly backwards?: boolean;
  /** Starts nothing more after so long, in milliseconds. Default: no limit. */
  readonly withinMs?: number;
  /** Gets the hash of each seed's trace, in no order of seeds. */
  readonly onTrace?: (seed: number, traceHash: string) => void;
  readonly onProgress?: (progress: SeedRunResult) => void;
}

/** What was run so far. */
export interface SeedRunResult {
  readonly count: number;
  readonly simulatedMs: number;
  readonly elapsedMs: number;
  /** In how many seeds each state was reached. */
  readonly sometimes: ReadonlyMap<string, number>;
  /** In the order of seeds. */
  readonly failures: readonly Failure[];
}

export async function runSeeds(options: SeedRunOptions): Promise<SeedRunResult> {
  const run = new SeedRun(options, systemClock);
  const workers = Array.from({ length: options.workers }, () => run.work());
  await Promise.all(workers);
  return run.result();
}

/** Makes a failing plan as small as it gets. */
export async function shrinkFailure(
  { seed, plan }: Failure,
  patches: readonly SourcePatch[] = [],
): Promise<{ readonly plan: FaultPlan; readonly violations: readonly Violation[] }> {
  const worker = new SimulationWorker(patches);
  try {
    const answer = await worker.ask({ type: "shrink", seed, plan }, systemClock);
    return answer.type === "shrunk" ? answer : { plan, violations: [] };
  } finally {
    await worker.stop();
  }
}

class SeedRun {
  readonly #options: SeedRunOptions;
  readonly #clock: Clock;
  readonly #beganMs: number;
  readonly #sometimes = new Map<string, number>();
  readonly #failures: Failure[] = [];
  #next: number;
  #count = 0;
  #simulatedMs = 0;

  constructor(options: SeedRunOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#beganMs = clock.now();
    this.#next = options.from;
  }

  result(): SeedRunResult {
    return {
      count: this.#count,
      simulatedMs: this.#simulatedMs,
      elapsedMs: this.#clock.now() - this.#beganMs,
      sometimes: this.#sometimes,
      failures: this.#failures.toSorted((a, b) => a.seed - b.seed),
    };
  }

  /** What one worker does. */
  async work(): Promise<void> {
    let worker: SimulationWorker | undefined;
    try {
      let range: { readonly from: number; readonly count: number } | undefined;
      while ((range = this.#take()) !== undefined) {
        const { patches = [], kinds } = this.#options;
        worker ??= new SimulationWorker(patches, kinds);
        const { stopAtFailure = true } = this.#options;
        const request = { type: "run", stopAtFailure, ...range } as const;
        const answer = await worker.ask(request, this.#clock);
        if (answer.type === "ran") this.#add(answer, range.from);
        else {
          this.#failures.push(brokenBy(worker.seed, answer));
          await worker.stop();
          worker = undefined;
        }
        this.#options.onProgress?.(this.result());
      }
    } finally {
      await worker?.stop();
    }
  }

  #take(): { readonly from: number; readonly count: number } | undefined {
    const {
      from,
      count,
      stopAtFailure = true,
      backwards = false,
      withinMs = Infinity,
    } = this.#options;
    const left = from + count - this.#next;
    const isOver = stopAtFailure && this.#failures.length > 0;
    if (left <= 0 || isOver || this.#clock.now() - this.#beganMs > withinMs) return undefined;
    const size = Math.min(left, seedsPerRequest);
    const range = { from: backwards ? from + left - size : this.#next, count: size };
    this.#next += size;
    return range;
  }

  #add(answer: WorkerAnswer & { readonly type: "ran" }, from: number): void {
    this.#count += answer.count;
    this.#simulatedMs += answer.simulatedMs;
    this.#failures.push(...answer.failures);
    for (const [index, hash] of answer.traces.entries())
      this.#options.onTrace?.(from + index, hash);
    for (const [state, count] of answer.sometimes)
      this.#sometimes.set(state, (this.#sometimes.get(state) ?? 0) + count);
  }
}

class SimulationWorker {
  readonly #worker: Worker;
  readonly #current = new SharedArrayBuffer(4);

  constructor(patches: readonly SourcePatch[], kinds?: readonly FaultKind[]) {
    const workerData: WorkerData = { patches, kinds, current: this.#current };
    this.#worker = new Worker(new URL("./simulation-worker.ts", import.meta.url), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
    });
  }

  /** The seed it runs, or ran last. */
  get seed(): number {
    return new Int32Array(this.#current)[0]!;
  }

  async ask(request: WorkerRequest, clock: Clock): Promise<WorkerAnswer> {
    const { promise, resolve } = Promise.withResolvers<WorkerAnswer>();
    const broken = (error: string): void => resolve({ type: "broken", error });
    const onError = (thrown: unknown): void =>
      broken(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    const stopTimer = clock.after(requestMsMax, () =>
      broken(`it did not end within ${requestMsMax} ms`),
    );
    this.#worker.once("message", resolve).once("error", onError);
    this.#worker.postMessage(request);
    const answer = await promise;
    stopTimer();
    this.#worker.off("message", resolve).off("error", onError);
    return answer;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

function brokenBy(seed: number, answer: WorkerAnswer): Failure {
  const error = answer.type === "broken" ? answer.error : "it answered something else";
  const message = `the run of seed ${seed} broke: ${error}`;
  return { seed, plan: [], violations: [{ promise: "run", message, events: [] }], traceHash: "" };
}
