/**
 * One run: a cluster under load, faults from the seed, then quiet, and what the events show.
 *
 * @module
 */
import { join } from "node:path";
import { seededRandom } from "@coppice/kernel";
import type { FaultEvent } from "../history.ts";
import { historyFolder, startCluster } from "./cluster-under-test.ts";
import { FaultStuckError, runFaults, waitFor } from "./fault-loop.ts";
import type { Fault } from "./faults/fault.ts";
import { harnessTime } from "./harness-time.ts";
import { HistoryStream } from "./history-stream.ts";
import { Progress } from "./progress.ts";
import { RecoveryMeter } from "./recovery-meter.ts";
import type { RunOptions } from "./run-options.ts";
import type { RunResult } from "./run-result.ts";
import { ServerStallWatch } from "./server-stall-watch.ts";
import { TimelineMeter } from "../report/timeline.ts";
import { Totals } from "./totals.ts";
import { Verdicts } from "./verdicts.ts";
import type { World } from "./world.ts";

const pollEveryMs = 200;
/** How long nothing is done at first, in milliseconds. */
const warmUpMs = 3_000;
/** How long after the last fault every name may need to answer, in milliseconds. */
const quietMsMax = 30_000;
/** Calls that are under way when the load ends need so long at most, in milliseconds. */
const lastCallsMs = 6_000;
const censusMs = 1_500;
/** So many violations of one promise are said at once; the report has more. */
const saidMax = 5;

export interface RunEnvironment {
  readonly options: RunOptions;
  /** Empty; the caller deletes it. */
  readonly folder: string;
  readonly natsServer: string;
  readonly component: string | undefined;
  readonly cacheDir: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const withoutFenceModule = new URL("./without-reply-fence.ts", import.meta.url).href;

export async function runChaos(environment: RunEnvironment): Promise<RunResult> {
  return new Run(environment).run();
}

class Run {
  readonly #environment: RunEnvironment;
  readonly #now = harnessTime();
  readonly #startedMs = this.#now();
  readonly #totals = new Totals();
  readonly #recovery = new RecoveryMeter();
  readonly #timeline = new TimelineMeter();
  readonly #verdicts: Verdicts;
  readonly #faults: FaultEvent[] = [];
  readonly #skipped = new Map<string, string>();
  readonly #history: HistoryStream;
  readonly #progress: Progress;
  #servers: ServerStallWatch | undefined;
  /** Since when a fault is there: what happens after that is not handed on before the fault is known as a whole. */
  #faultSinceMs = Infinity;

  constructor(environment: RunEnvironment) {
    this.#environment = environment;
    const { options, folder, say } = environment;
    this.#verdicts = new Verdicts(({ promise, message }) => {
      if (this.#verdicts.counts.get(promise)! <= saidMax)
        this.#progress.line(`VIOLATION ${promise}: ${message}`);
    });
    const takers = [this.#totals, this.#recovery, this.#timeline, this.#verdicts];
    this.#history = new HistoryStream({
      folder: historyFolder(folder),
      keep: options.keep,
      now: this.#now,
      holdBackMs: () => Math.min(this.#faultSinceMs, this.#servers?.sinceMs ?? Infinity),
      sinks: takers.map((taker) => taker.take.bind(taker)),
    });
    this.#progress = new Progress({
      say,
      elapsedMs: () => this.#now() - this.#startedMs,
      totals: this.#totals,
      verdicts: this.#verdicts,
    });
  }

  async run(): Promise<RunResult> {
    const { options, signal } = this.#environment;
    const { world, stop } = await this.#start();
    const poll = setInterval(() => this.#history.poll(), pollEveryMs);
    this.#watchServers(world);
    this.#progress.start();
    try {
      await this.#untilServed(world, "at the start");
      await waitFor(warmUpMs, signal);
      await this.#breakThings(world, this.#possible(world), options);
      if (!signal.aborted) await this.#settle(world);
    } finally {
      this.#progress.stop();
      clearInterval(poll);
      this.#servers?.stop();
      await stop();
    }
    this.#history.finish();
    return this.#result();
  }

  #start() {
    const { options, folder, natsServer, component, cacheDir } = this.#environment;
    return startCluster({
      folder,
      natsServer,
      servers: options.servers,
      nodes: options.nodes,
      callsPerSecond: options.callsPerSecond,
      broadcastsPerSecond: options.broadcastsPerSecond,
      component,
      cacheDir,
      preloads: options.withoutReplyFence ? [withoutFenceModule] : [],
      random: seededRandom(options.seed),
      now: this.#now,
      history: this.#history,
      onUnexpectedEnd: (node, how) => {
        this.#violate("R1", `node ${node} ended by itself (${how}): see ${join(folder, node)}.log`);
      },
    });
  }

  #watchServers({ servers: { names, ports } }: World): void {
    this.#servers = new ServerStallWatch({
      servers: names.map((name, index) => ({ name, port: ports[index]! })),
      now: this.#now,
      onStall: (event) => this.#history.add(event),
    });
  }

  /** What can be done here; of the rest it is said why not. */
  #possible(world: World): Fault[] {
    return this.#environment.options.faults.filter(({ kind, unavailable }) => {
      const why = unavailable?.(world);
      if (why === undefined) return true;
      this.#skipped.set(kind, why);
      this.#progress.line(`SKIPPED ${kind}: ${why}`);
      return false;
    });
  }

  async #breakThings(world: World, faults: readonly Fault[], options: RunOptions): Promise<void> {
    const { signal } = this.#environment;
    const untilMs = this.#now() + options.minutes * 60_000;
    try {
      await runFaults({
        seed: options.seed,
        faults,
        world,
        now: this.#now,
        untilMs,
        count: (options.rounds ?? Infinity) * faults.length,
        signal,
        onBegin: () => {
          this.#faultSinceMs = this.#now();
        },
        onMade: (planned, targets) => this.#progress.fault(planned, targets),
        onHealed: (event) => {
          this.#faults.push(event);
          this.#history.add(event);
          this.#faultSinceMs = Infinity;
        },
      });
    } catch (thrown) {
      if (!(thrown instanceof FaultStuckError)) throw thrown;
      this.#violate("N4", thrown.message);
      this.#faultSinceMs = Infinity;
    }
  }

  /** Liveness: with nothing broken any more, everything is served again; then the load ends. */
  async #settle(world: World): Promise<void> {
    const { signal } = this.#environment;
    for (const node of world.nodes) await node.start();
    await this.#untilServed(world, "after the last fault");
    for (const node of world.nodes) node.command("quiet");
    await waitFor(lastCallsMs, signal);
    for (const node of world.nodes) node.command("census");
    await waitFor(censusMs, signal);
    this.#history.poll();
    for (const node of world.nodes) await node.stop();
  }

  async #untilServed(world: World, when: string): Promise<void> {
    const { signal } = this.#environment;
    const fromMs = this.#now();
    const missing = (): string[] =>
      world.names.filter((name) => (this.#recovery.lastServedMs(name) ?? 0) < fromMs);
    while (missing().length > 0 && !signal.aborted) {
      if (this.#now() > fromMs + quietMsMax) {
        const names = missing().join(", ");
        this.#violate("N4", `${when} nobody ran ${names} for ${quietMsMax} ms`);
        return;
      }
      await waitFor(pollEveryMs, signal);
    }
    this.#progress.line(`every name answers ${when}: after ${Math.round(this.#now() - fromMs)} ms`);
  }

  #violate(promise: string, message: string): void {
    this.#verdicts.violate({ promise, message, events: [] });
  }

  /** What no single event shows. */
  #judgeCounts(): void {
    const { guestWrongAnswers = 0 } = this.#history.tallies();
    if (guestWrongAnswers > 0)
      this.#violate("R1", `the component gave ${guestWrongAnswers} wrong answers`);
  }

  #result(): RunResult {
    this.#verdicts.finish();
    this.#judgeCounts();
    return {
      durationMs: this.#now() - this.#startedMs,
      faults: this.#faults,
      skipped: this.#skipped,
      totals: this.#totals,
      timeline: this.#timeline.result(),
      recovery: this.#recovery,
      drain: this.#verdicts.drain,
      gapReports: this.#verdicts.gapReports,
      tallies: this.#history.tallies(),
      violations: this.#verdicts.violations,
      broken: this.#verdicts.counts,
    };
  }
}
