/**
 * A cluster of nodes in this thread under a simulated clock, where nodes can be cut off from each other and the store.
 *
 * @module
 */
import { type ClusterNode, type NodeOptions, startNode } from "@coppice/cluster";
import { type LogFields, type Logger, type Pid, seededRandom } from "@coppice/kernel";
import {
  type Change,
  MemoryNetwork,
  MemoryStore,
  type Store,
  StoreUnavailableError,
} from "@coppice/net";
import { faultyTransport, type SimulatedClock, simulatedClock } from "@coppice/testkit";
import { expect, onTestFinished } from "vitest";

export interface SimulatedNode extends ClusterNode {
  readonly logs: LogFields[];
  /** As if its cable were pulled: neither messages nor the store get through. */
  readonly cutOff: () => void;
  readonly reconnect: () => void;
  /** As if what it sends and what it is sent were lost: its connection stands, and the store does not answer. */
  readonly fallSilent: () => void;
  readonly speakAgain: () => void;
  /** What it sends arrives so much later, in milliseconds, and the store does not answer. */
  readonly fallBehind: (ms: number) => void;
  /** As if its machine were gone, for good. */
  readonly crash: () => void;
}

export interface SimulatedCluster {
  readonly clock: SimulatedClock;
  readonly store: MemoryStore;
  readonly start: (name: string, options?: Partial<NodeOptions>) => Promise<SimulatedNode>;
  /** Moves time on until the promise settles, at most a minute. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>;
  /** Moves time on until the condition holds, at most so long. Returns how long it took, in milliseconds. */
  readonly until: (condition: () => boolean, withinMs?: number) => Promise<number>;
  readonly advance: (ms: number) => Promise<void>;
}

const stepMs = 10;
const runMsMax = 60_000;

export function simulatedCluster(seed = 1): SimulatedCluster {
  const clock = simulatedClock();
  const random = seededRandom(seed);
  const network = new MemoryNetwork({ clock });
  const store = new MemoryStore({ clock });
  const nodes: SimulatedNode[] = [];

  const run = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { isSettled: false };
    const settled = promise.finally(() => {
      state.isSettled = true;
    });
    settled.catch(() => {}); // Reported by the caller.
    for (let passedMs = 0; !state.isSettled && passedMs < runMsMax; passedMs += stepMs)
      await clock.advance(stepMs);
    if (!state.isSettled) throw new Error(`not settled within ${runMsMax} simulated milliseconds`);
    return settled;
  };
  const until = async (condition: () => boolean, withinMs = 10_000): Promise<number> => {
    const fromMs = clock.now();
    while (!condition() && clock.now() - fromMs < withinMs) await clock.advance(stepMs);
    expect(condition(), `within ${withinMs} simulated milliseconds: ${String(condition)}`).toBe(
      true,
    );
    return clock.now() - fromMs;
  };
  const start: SimulatedCluster["start"] = async (name, options = {}) => {
    const transport = network.connect();
    const lossy = faultyTransport(transport, { clock, random: seededRandom(seed) });
    const setSilent = (cut: boolean): void => {
      lossy.setOut({ cut });
      lossy.setIn({ cut });
    };
    const cuttable = new CuttableStore(store);
    const logs: LogFields[] = [];
    const keep = (fields: LogFields): void => void logs.push({ ...fields, atMs: clock.now() });
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
    const given = { name, cluster: "test", osPid: 1, transport: lossy, store: cuttable };
    const started = await run(startNode({ ...given, clock, random, logger, ...options }));
    const node = Object.assign(started, {
      logs,
      cutOff: () => {
        transport.disconnect();
        cuttable.cut();
      },
      reconnect: () => {
        transport.reconnect();
        cuttable.reconnect();
      },
      fallSilent: () => {
        setSilent(true);
        cuttable.cut();
      },
      fallBehind: (ms: number) => {
        lossy.setOut({ delayMs: [ms, ms] });
        cuttable.cut();
      },
      speakAgain: () => {
        setSilent(false);
        cuttable.reconnect();
      },
      crash: () => {
        void transport.close();
        cuttable.cut();
      },
    });
    nodes.push(node);
    return node;
  };
  onTestFinished(async () => {
    await run(Promise.allSettled(nodes.map((node) => node.stop())));
  });
  return { clock, store, start, run, until, advance: (ms) => clock.advance(ms) };
}

/** What arrives at a process that only listens. */
export interface Listener {
  readonly pid: Pid;
  readonly messages: unknown[];
  readonly stop: () => void;
}

export function listen(node: ClusterNode): Listener {
  const messages: unknown[] = [];
  const pid = node.kernel.spawn({
    handle: (message) => {
      if (message.type === "info") messages.push(message.message);
    },
  });
  const stop = (): void => node.kernel.exit(pid, { type: "shutdown" });
  return { pid, messages, stop };
}

/** One node's view of the store. While it is cut off, writes fail and changes wait. */
class CuttableStore implements Store {
  readonly #store: Store;
  readonly #missed: (() => void)[] = [];
  #isCut = false;

  constructor(store: Store) {
    this.#store = store;
  }

  cut(): void {
    this.#isCut = true;
  }

  reconnect(): void {
    this.#isCut = false;
    for (const deliver of this.#missed.splice(0)) deliver();
  }

  get: Store["get"] = (key) => this.#reach(() => this.#store.get(key));
  create: Store["create"] = (key, value) => this.#reach(() => this.#store.create(key, value));
  update: Store["update"] = (key, value, revision) =>
    this.#reach(() => this.#store.update(key, value, revision));
  delete: Store["delete"] = (key, revision) => this.#reach(() => this.#store.delete(key, revision));
  close: Store["close"] = () => this.#store.close();
  watch: Store["watch"] = (onChange, options) => {
    const whenReachable = (change: Change): void => {
      if (this.#isCut) this.#missed.push(() => onChange(change));
      else onChange(change);
    };
    return this.#store.watch(whenReachable, options);
  };

  async #reach<T>(run: () => Promise<T>): Promise<T> {
    if (this.#isCut) throw new StoreUnavailableError("anything: it is cut off");
    return run();
  }
}
