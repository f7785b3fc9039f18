/**
 * A whole cluster in one thread under a simulated clock: production nodes, with a network, a store and clocks that obey.
 *
 * The same seed gives the same run, in any process: {@link SimulatedCluster.traceHash} shows it. Nothing happens while time
 * stands still, and time moves only where a function here is awaited.
 *
 * @module
 */
import type { ClusterNode } from "@coppice/cluster";
import { type LogFields, type Logger, type Random, seededRandom } from "@coppice/kernel";
import type { LinkFaults } from "../link-faults.ts";
import { type ClusterEvent, RegistryReader } from "./cluster-events.ts";
import { SimulatedMachine } from "./simulated-machine.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import { noViewFaults, type StoreViewFaults } from "./simulated-store-view.ts";
import { SimulatedStore, type StoreState } from "./simulated-store.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { Trace, type TraceLine } from "./trace.ts";

/** How a cluster is simulated. */
export interface SimulatedClusterOptions {
  /** Everything that is left to chance follows from it: 32 bits. Default: 1. */
  readonly seed?: number;
  /** Default: `a`, `b` and `c`. */
  readonly nodes?: readonly string[];
  /** What runs on each node, again in each of its lives. Default: nothing. */
  readonly onStart?: (node: ClusterNode) => unknown;
  /** How fast the monotonic clock of a node runs, compared with true time. Default: 0.95 to 1.05, by chance. */
  readonly clockRate?: (node: string) => number;
  /** How long a message takes from node to node, evenly spread, in milliseconds. Default: 0.2 to 2. */
  readonly delayMs?: readonly [min: number, max: number];
  /** Gets every event of {@link SimulatedCluster.history} when it happens. */
  readonly onEvent?: (event: ClusterEvent) => void;
  /**
   * A node has ended because it was frozen for longer than its lease. Default: it is started again, as whoever supervises
   * nodes would, {@link startAgainMs} later, and again when that fails.
   */
  readonly onDeposed?: (node: string) => void;
  /** Gets what nodes log. Default: it is dropped. */
  readonly onLog?: (node: string, level: keyof Logger, fields: LogFields, message: string) => void;
  /** Gets everything that happens on the network and in the store. */
  readonly onTrace?: (line: TraceLine) => void;
}

/** How long {@link SimulatedCluster.run} waits, in simulated milliseconds. */
export const runMsMax = 60_000;
/** How long {@link SimulatedCluster.eventually} waits unless told otherwise, in simulated milliseconds. */
export const eventuallyMsDefault = 10_000;
/** How long after a node has ended it is started again, in simulated milliseconds. */
export const startAgainMs = 300;
/** How often it looks, in simulated milliseconds. */
const lookEveryMs = 10;
const delayMsDefault = [0.2, 2] as const;

/** Makes a cluster whose nodes do not run yet. */
export function simulatedCluster(options: SimulatedClusterOptions = {}): SimulatedCluster {
  return new SimulatedCluster(options);
}

export class SimulatedCluster {
  /** The one source of chance. */
  readonly random: Random;
  /** Where time is moved. */
  readonly clock: {
    /** True milliseconds since the simulation began. */
    readonly now: () => number;
    readonly advance: (ms: number) => Promise<void>;
    /** Runs it at a time that is so many milliseconds away, outside of any node. */
    readonly after: (ms: number, run: () => void) => void;
    /** Resolves at that time; something else has to move it. */
    readonly sleep: (ms: number) => Promise<void>;
  };
  /** What was done to the cluster, who owned which name, and whose session began, was renewed and ended. */
  readonly history: ClusterEvent[] = [];
  readonly #options: SimulatedClusterOptions;
  readonly #time = new SimulatedTime();
  readonly #trace: Trace;
  readonly #network: SimulatedNetwork;
  readonly #store: SimulatedStore;
  readonly #machines = new Map<string, SimulatedMachine>();

  constructor(options: SimulatedClusterOptions) {
    const { seed = 1, nodes = ["a", "b", "c"], onTrace, delayMs = delayMsDefault } = options;
    const time = this.#time;
    this.#options = options;
    this.random = seededRandom(seed);
    this.#trace = new Trace(() => time.nowMs, onTrace);
    this.#network = new SimulatedNetwork(this.#trace);
    this.#store = new SimulatedStore(time, this.#trace);
    this.clock = {
      now: () => time.nowMs,
      advance: (ms) => time.advance(ms),
      after: (ms, run) => void time.at(time.nowMs + ms, run),
      sleep: (ms) => new Promise((resolve) => void time.at(time.nowMs + ms, resolve)),
    };
    const registry = new RegistryReader();
    this.#store.watch((change, from) => {
      const event = registry.read(change, time.nowMs, from);
      if (event !== undefined) this.#record(event);
    });
    const { clockRate = (): number => 0.95 + (this.random.u32() / 2 ** 32) * 0.1 } = options;
    const world = {
      time,
      random: this.random,
      trace: this.#trace,
      network: this.#network,
      store: this.#store,
    };
    for (const name of nodes) {
      const machine = new SimulatedMachine(name, clockRate(name), world);
      machine.link.set({ in: { delayMs } });
      this.#machines.set(name, machine);
    }
  }

  /** The names of all nodes, whether they run or not. */
  get names(): readonly string[] {
    return [...this.#machines.keys()];
  }

  /** Differs when anything was sent, written or done that differs: eight hexadecimal digits. */
  get traceHash(): string {
    return this.#trace.hash;
  }

  /** A node that runs. @throws {Error} if it does not. */
  node(name: string): ClusterNode {
    const { node } = this.#machine(name);
    if (node === undefined) throw new Error(`node ${name} is not running: start it first`);
    return node;
  }

  /** Whether a node has started and was not killed since. */
  isRunning(name: string): boolean {
    return this.#machine(name).node !== undefined;
  }

  /** Whether it runs, or is being started. */
  isAlive(name: string): boolean {
    return this.#machine(name).isAlive;
  }

  isFrozen(name: string): boolean {
    return this.#machine(name).isFrozen;
  }

  /** Starts nodes, all of them by default, and moves time on until they run. */
  async start(...names: readonly string[]): Promise<void> {
    const wanted = names.length === 0 ? this.names : names;
    await this.run(Promise.all(wanted.map((name) => this.launch(name))));
  }

  /** Begins to start a node, without moving time. */
  async launch(name: string): Promise<ClusterNode> {
    const { onLog, onStart, onDeposed = (name) => this.#startAgain(name) } = this.#options;
    const log =
      (level: keyof Logger): Logger["info"] =>
      (fields, message) =>
        onLog?.(name, level, fields, message);
    const logger = {
      debug: log("debug"),
      info: log("info"),
      warn: log("warn"),
      error: log("error"),
    };
    const node = await this.#machine(name).launch({
      cluster: "simulated",
      logger,
      onDeposed: () => onDeposed(name),
    });
    await onStart?.(node);
    return node;
  }

  /** Ends a node as SIGKILL does: nothing of it runs again. What it promised stays open for ever. */
  kill(name: string): void {
    this.#fault("kill", [name]);
    this.#machine(name).kill();
  }

  /** Kills a node that runs, and starts it anew. */
  async restart(name: string): Promise<void> {
    if (this.#machine(name).isAlive) this.kill(name);
    await this.start(name);
  }

  /**
   * Stops a node as SIGSTOP does, for so long or until {@link thaw}. Then it first gets the messages that arrived meanwhile,
   * then its timers run that came due.
   */
  freeze(name: string, ms?: number): void {
    this.#fault("freeze", [name], ms);
    const machine = this.#machine(name);
    const { lives } = machine;
    machine.freeze();
    if (ms !== undefined)
      this.clock.after(ms, () => {
        if (machine.lives === lives) machine.thaw();
      });
  }

  thaw(name: string): void {
    this.#machine(name).thaw();
  }

  /**
   * Cuts nodes apart: those of one side hear nothing of the others. The store stays with the largest side; of equals, with
   * the first. Nodes that are not named hear everybody.
   */
  partition(...sides: readonly (readonly string[])[]): void {
    this.#fault(
      "partition",
      sides.map((side) => side.join("+")),
    );
    const largest = sides.reduce((best, side) => (side.length > best.length ? side : best));
    for (const side of sides)
      for (const from of side) {
        if (side !== largest) this.setStore(from, { cut: true });
        for (const other of sides) if (other !== side) for (const to of other) this.cut(from, to);
      }
  }

  /** From now on `to` hears nothing of `from`. Both reach the store. */
  cut(from: string, to: string): void {
    this.#trace.note("cut", `${from}>${to}`);
    this.#network.setCut(from, to, true);
  }

  /** Ends the cut of one direction. */
  mend(from: string, to: string): void {
    this.#trace.note("mend", `${from}>${to}`);
    this.#network.setCut(from, to, false);
  }

  /**
   * Takes a node off the network, store and all. Nobody is told; after one or two seconds the node's client notices. `mode`:
   * `in`: it is heard and does not hear; `out`: the other way round. Default: `both`.
   */
  isolate(name: string, mode: "both" | "in" | "out" = "both"): void {
    this.#fault("isolate", [name]);
    this.setLink(name, {
      ...(mode === "out" ? {} : { in: { cut: true } }),
      ...(mode === "in" ? {} : { out: { cut: true } }),
    });
  }

  /**
   * Breaks a node's connection, which the network notices at once and the node after `noticeMs`; it is there again `downMs`
   * later. `noticeMs` by default: 0.
   */
  reset(name: string, downMs: number, noticeMs = 0): void {
    this.#fault("reset", [name], noticeMs + downMs);
    this.#machine(name).reset(downMs, noticeMs);
  }

  /** Changes what a node's link does to what it sends and gets. */
  setLink(
    name: string,
    faults: { readonly out?: Partial<LinkFaults>; readonly in?: Partial<LinkFaults> },
  ): void {
    this.#trace.note("link", `${name} ${JSON.stringify(faults)}`);
    this.#machine(name).link.set(faults);
  }

  /** Changes what one node has of the store. */
  setStore(name: string, faults: Partial<StoreViewFaults>): void {
    this.#trace.note("store", `${name} ${JSON.stringify(faults)}`);
    this.#machine(name).setStore(faults);
  }

  /** Changes what everybody has of the store. */
  setStoreState(state: StoreState): void {
    this.#trace.note("store", state);
    this.#store.state = state;
  }

  /** Moves a node's wall clock. */
  jumpWall(name: string, ms: number): void {
    this.#fault("wall", [name]);
    this.#machine(name).jumpWall(ms);
  }

  /** Ends every cut and every fault of links and store; frozen nodes thaw. Nodes that were killed stay so. */
  heal(): void {
    const { delayMs = delayMsDefault } = this.#options;
    this.#trace.note("heal", "");
    this.#network.healAll();
    this.#store.state = "healthy";
    const whole = { loss: 0, duplicates: 0, cut: false };
    for (const machine of this.#machines.values()) {
      machine.link.set({ out: { ...whole, delayMs: [0, 0] }, in: { ...whole, delayMs } });
      machine.setStore(noViewFaults);
      if (machine.isFrozen) machine.thaw();
    }
  }

  /** Moves time on. */
  advance(ms: number): Promise<void> {
    return this.#time.advance(ms);
  }

  /**
   * Moves time on until the promise settles. Returns what it resolves to.
   *
   * @throws {Error} if it does not settle within {@link runMsMax}.
   */
  async run<T>(promise: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    const settled = promise.finally(() => {
      state.isSettled = true;
    });
    settled.catch(() => {}); // Reported by the caller.
    await this.#time.advance(runMsMax, () => state.isSettled);
    if (!state.isSettled) throw new Error(`not settled within ${runMsMax} simulated milliseconds`);
    return settled;
  }

  /**
   * Moves time on until the condition holds. Returns how long it took, in simulated milliseconds.
   *
   * @throws {Error} if it does not hold within `withinMs`. Default: {@link eventuallyMsDefault}.
   */
  async eventually(
    condition: () => boolean | Promise<boolean>,
    { withinMs = eventuallyMsDefault }: { readonly withinMs?: number } = {},
  ): Promise<number> {
    const fromMs = this.clock.now();
    while (true) {
      const answer = condition();
      if (typeof answer === "boolean" ? answer : await this.run(answer))
        return this.clock.now() - fromMs;
      if (this.clock.now() - fromMs >= withinMs)
        throw new Error(`not within ${withinMs} simulated milliseconds: ${String(condition)}`);
      await this.advance(lookEveryMs);
    }
  }

  #startAgain(name: string): void {
    this.clock.after(startAgainMs, () => {
      if (!this.isAlive(name)) this.launch(name).catch(() => this.#startAgain(name));
    });
  }

  #machine(name: string): SimulatedMachine {
    const machine = this.#machines.get(name);
    if (machine === undefined)
      throw new RangeError(`there is no node ${name}, only ${this.names.join(", ")}`);
    return machine;
  }

  #fault(kind: string, targets: readonly string[], ms?: number): void {
    const atMs = this.clock.now();
    this.#trace.note(kind, targets.join(" "));
    this.#record({ type: "fault", atMs, untilMs: atMs + (ms ?? 0), kind, targets });
  }

  #record(event: ClusterEvent): void {
    this.history.push(event);
    this.#options.onEvent?.(event);
  }
}
