/**
 * Nodes under load in a suite: started, struck with faults one after another, stopped, and their events judged.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { harnessTime } from "../real/harness-time.ts";
import { type ChaosNodeOptions, deposedStatus } from "../real/node-options.ts";
import { watchOwnership } from "../real/ownership-watch.ts";
import { counters } from "../real/workloads/names.ts";
import type { Cleanup } from "./cleanup.ts";
import type { LaunchNode, NodeLife } from "./node-launch.ts";
import { type Judgement, SuiteHistory } from "./suite-history.ts";

const cluster = "chaos";
const pollMs = 100;
const startTimeoutMs = 30_000;
/** How long what was hit may need to be served by others, and everything after a heal; beyond that N4 is broken. */
const recoveryMsMax = 30_000;
/** How long a recovery that is only watched is waited for. */
const watchedMsMax = 15_000;
const settleMs = 1_500;
/** Nothing has changed hands for so long: children are not being spread over nodes that have just come. */
const calmMs = 2_500;
const stopTimeoutMs = 30_000;

/** What every suite is given. */
export interface SuiteEnvironment {
  /** Empty, and its own. */
  readonly folder: string;
  readonly natsServer: string;
  readonly cleanup: Cleanup;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Strike {
  readonly kind: string;
  /** Nodes or servers. */
  readonly targets: readonly string[];
  readonly make: () => unknown;
  /** Default: it heals by itself. */
  readonly heal?: () => unknown;
  /** How long it lasts, in milliseconds. */
  readonly lengthMs: number;
  /** Whether the names of the targets have to be served by others meanwhile. Default: false. */
  readonly moves?: boolean;
  /** Whether everything has to be served again afterwards; if not, that is only watched, and nodes may end. Default: true. */
  readonly recovers?: boolean;
}

export interface StrikeResult {
  readonly kind: string;
  readonly targets: readonly string[];
  readonly lastedMs: number;
  /** How many names the targets had. */
  readonly names: number;
  /** Until the last of them ran elsewhere; nothing if that was not waited for. */
  readonly movedMs: number | undefined;
  /** From the heal until every name ran and every node was answered. */
  readonly recoveredMs: number | undefined;
  /** The name or node that took longest. */
  readonly lastServed: string | undefined;
}

interface Seat {
  readonly launch: LaunchNode;
  lives: number;
  life: NodeLife | undefined;
  /** Whether its end is no surprise. */
  mayEnd: boolean;
}

export class SuiteCluster {
  readonly #environment: SuiteEnvironment;
  readonly #servers: readonly string[];
  readonly #callsPerSecond: number;
  readonly #now = harnessTime();
  readonly #history: SuiteHistory;
  readonly #historyFolder: string;
  readonly #seats = new Map<string, Seat>();
  readonly results: StrikeResult[] = [];

  /** `servers`: where the nodes find them. */
  constructor(
    environment: SuiteEnvironment,
    options: { readonly servers: readonly string[]; readonly callsPerSecond?: number },
  ) {
    this.#environment = environment;
    this.#servers = options.servers;
    this.#callsPerSecond = options.callsPerSecond ?? 120;
    this.#historyFolder = join(environment.folder, "history");
    mkdirSync(this.#historyFolder, { recursive: true });
    this.#history = new SuiteHistory(this.#historyFolder, this.#now);
    const poll = setInterval(() => this.#history.poll(), pollMs);
    environment.cleanup.add(() => clearInterval(poll));
    environment.cleanup.add(() => this.#killAll());
  }

  /** Writes to the registry become part of the history. `servers`: where this process finds them. */
  async watchRegistry(servers: readonly string[]): Promise<void> {
    const onEvent = this.#history.add.bind(this.#history);
    const network = await watchOwnership({
      servers,
      cluster,
      replicas: 1,
      now: this.#now,
      onEvent,
    });
    this.#environment.cleanup.add(() => network.close());
  }

  /** Starts nodes and waits until every name runs and every node is answered. */
  async start(launches: Readonly<Record<string, LaunchNode>>): Promise<void> {
    for (const [name, launch] of Object.entries(launches))
      this.#seats.set(name, { launch, lives: 0, life: undefined, mayEnd: false });
    await Promise.all([...this.#seats.keys()].map((name) => this.startNode(name)));
    const { ms } = await this.#untilServed(this.#now(), "at the start");
    this.#say(`every name answers ${secondsOf(ms)} after the nodes were ready`);
    await this.wait(settleMs);
  }

  /** Waits until no name has changed hands for a while. */
  async untilCalm(): Promise<void> {
    let before = "";
    for (;;) {
      const now = JSON.stringify([...this.registry()]);
      if (now === before) return;
      before = now;
      await this.wait(calmMs);
    }
  }

  /** The next life of a node, which does not run. */
  async startNode(name: string): Promise<void> {
    const seat = this.#seats.get(name)!;
    seat.lives += 1;
    const number = seat.lives;
    this.#history.began(name, number);
    const life = await seat.launch(this.#optionsOf(name, number));
    seat.life = life;
    seat.mayEnd = false;
    void this.#follow(name, seat, life, number);
    const ended = life.ended.then((how) => {
      throw new Error(`node ${name} ended before it was ready (${how}): see its log`);
    });
    await this.#within(startTimeoutMs, Promise.race([life.ready, ended]), `${name} was not ready`);
  }

  async #follow(name: string, seat: Seat, life: NodeLife, number: number): Promise<void> {
    const how = await life.ended;
    if (seat.life === life) seat.life = undefined;
    this.#history.ended(name, number);
    if (!seat.mayEnd) this.#endedByItself(name, how);
  }

  /** A node that others took over from may end, to be started again by its supervisor: that is this cluster. */
  #endedByItself(name: string, how: string): void {
    if (how !== `${deposedStatus}`) this.violate("R1", `node ${name} ended by itself: ${how}`);
    this.startNode(name).catch((thrown: unknown) => {
      this.violate("R1", `node ${name} could not be started again: ${String(thrown)}`);
    });
  }

  /** Waits until the node has ended by itself. Resolves to how. */
  untilEnded(name: string): Promise<string> {
    const seat = this.#seats.get(name)!;
    seat.mayEnd = true;
    const ended = seat.life?.ended ?? Promise.resolve("before");
    return this.#within(recoveryMsMax, ended, `${name} did not end`);
  }

  isRunning(name: string): boolean {
    return this.#seats.get(name)?.life !== undefined;
  }

  async killNode(name: string): Promise<void> {
    const seat = this.#seats.get(name)!;
    const { life } = seat;
    seat.mayEnd = true;
    await life?.kill();
    await life?.ended;
  }

  /** The node that ran most names of late. */
  busiest(): string {
    const counts = new Map<string, number>();
    for (const name of counters) {
      const node = this.#history.servedBy(name)?.node;
      if (node !== undefined && this.#seats.get(node)?.life !== undefined)
        counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    return [...counts].toSorted((a, b) => b[1] - a[1])[0]![0];
  }

  /** Makes a fault, keeps it for its time, heals it, and waits until everything is served again. */
  async strike(strike: Strike): Promise<StrikeResult> {
    const { kind, targets, lengthMs } = strike;
    this.#history.poll();
    const hit = counters.filter((name) => targets.includes(this.#history.servedBy(name)!.node));
    for (const seat of this.#seats.values()) if (strike.recovers === false) seat.mayEnd = true;
    const atMs = this.#now();
    await strike.make();
    const moved =
      strike.moves === true ? await this.#untilMoved(hit, targets, atMs, kind) : undefined;
    await this.wait(Math.max(0, atMs + lengthMs - this.#now()));
    await strike.heal?.();
    const untilMs = this.#now();
    this.#history.add({ type: "fault", atMs, untilMs, kind, targets });
    const served = await this.#untilServed(untilMs, `after ${kind}`, strike.recovers);
    const result: StrikeResult = {
      kind,
      targets,
      lastedMs: untilMs - atMs,
      names: hit.length,
      movedMs: moved?.ms,
      recoveredMs: served.ms,
      lastServed: served.last,
    };
    this.results.push(result);
    this.#say(lineOf(result));
    await this.wait(settleMs);
    return result;
  }

  /** The latest revision of each name that was seen in the registry. */
  registry(): ReadonlyMap<string, number> {
    return this.#history.registry();
  }

  violate(promise: string, message: string): void {
    this.#history.violate(promise, message);
  }

  /** @throws if the suite is interrupted. */
  async wait(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#environment.signal });
  }

  /** Stops one node after the other, as an operator would, and judges. */
  async finish(): Promise<Judgement> {
    for (const [name, seat] of this.#seats) {
      const { life } = seat;
      if (life === undefined) continue;
      seat.mayEnd = true;
      await life.stop();
      const how = await Promise.race([life.ended, wait(stopTimeoutMs, "nothing", { ref: false })]);
      if (how !== "0") this.violate("D1", `node ${name} did not stop when asked: ${how}`);
    }
    await this.#killAll();
    return this.#history.judge();
  }

  async #killAll(): Promise<void> {
    for (const seat of this.#seats.values()) {
      const { life } = seat;
      seat.mayEnd = true;
      await life?.kill();
      await life?.ended;
    }
  }

  /** @throws if it takes longer, or the suite is interrupted. */
  async #within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, this.#environment.signal]);
    const late = wait(ms, undefined, { signal }).then(() => {
      throw new Error(`${what} within ${ms} ms`);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      done.abort();
    }
  }

  #say(line: string): void {
    this.#environment.say(`  ${line}`);
  }

  #optionsOf(name: string, life: number): ChaosNodeOptions {
    return {
      name,
      cluster,
      servers: this.#servers,
      replicas: 1,
      history: this.#historyFolder,
      life,
      callsPerSecond: this.#callsPerSecond,
      broadcastsPerSecond: 50,
      component: undefined,
      cacheDir: "",
      clockRate: 1,
      uptimeLagMs: 0,
    };
  }

  /** Until each of these names ran on another node after that time. */
  #untilMoved(
    names: readonly string[],
    from: readonly string[],
    sinceMs: number,
    kind: string,
  ): Promise<Waited> {
    const isMissing = (name: string): boolean => {
      const served = this.#history.servedBy(name)!;
      return served.atMs < sinceMs || from.includes(served.node);
    };
    const what = `were not taken over during ${kind}`;
    return this.#until(() => names.filter(isMissing), sinceMs, what);
  }

  /** Until every name ran after that time, and every node that runs was answered. */
  #untilServed(sinceMs: number, when: string, isRequired = true): Promise<Waited> {
    const missing = (): string[] => [
      ...counters.filter((name) => (this.#history.servedBy(name)?.atMs ?? 0) < sinceMs),
      ...[...this.#seats]
        .filter(([, { life }]) => life !== undefined)
        .map(([node]) => node)
        .filter((node) => (this.#history.lastAnsweredMs(node) ?? 0) < sinceMs),
    ];
    return this.#until(missing, sinceMs, `were not served ${when}`, isRequired);
  }

  async #until(
    missing: () => readonly string[],
    sinceMs: number,
    what: string,
    isRequired = true,
  ): Promise<Waited> {
    const msMax = isRequired ? recoveryMsMax : watchedMsMax;
    let last: string | undefined;
    for (;;) {
      this.#history.poll();
      const left = missing();
      if (left.length === 0) return { ms: this.#now() - sinceMs, last };
      last = left[0];
      if (this.#now() > sinceMs + msMax) {
        if (isRequired) this.violate("N4", `${left.join(", ")} ${what} for ${msMax} ms`);
        return { ms: undefined, last };
      }
      await this.wait(pollMs);
    }
  }
}

/** How long something took; nothing if it was given up. */
interface Waited {
  readonly ms: number | undefined;
  readonly last: string | undefined;
}

function lineOf(result: StrikeResult): string {
  const { kind, targets, lastedMs, names, movedMs, recoveredMs, lastServed } = result;
  const moved =
    movedMs === undefined ? "" : `, its ${names} names ran elsewhere after ${secondsOf(movedMs)}`;
  const last = lastServed === undefined ? "" : ` (last: ${lastServed})`;
  const served =
    recoveredMs === undefined
      ? "NOT everything was served again"
      : `all served ${secondsOf(recoveredMs)} after the heal${last}`;
  return `${kind} on ${targets.join(", ")} for ${secondsOf(lastedMs)}${moved}; ${served}`;
}

function secondsOf(ms: number | undefined): string {
  return ms === undefined ? "never" : `${(ms / 1_000).toFixed(1)} s`;
}
