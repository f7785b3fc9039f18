/**
 * The store as one life of a simulated machine sees it: through its connection, late, and sometimes without an answer.
 *
 * A watch loses nothing: while the machine is cut off, changes wait, and arrive in order afterwards. A request that was sent
 * while the connection was down may be made when it is there again, long after its sender gave up.
 *
 * @module
 */
import type { Random } from "@coppice/kernel";
import {
  assertKey,
  type Change,
  type Entry,
  type Store,
  StoreUnavailableError,
} from "@coppice/net";
import type { SimulatedConnection } from "./simulated-connection.ts";
import type { SimulatedHost } from "./simulated-host.ts";
import type { SimulatedStore } from "./simulated-store.ts";
import type { SimulatedTime } from "./simulated-time.ts";
import { SimulatedWatch } from "./simulated-watch.ts";
import type { Trace } from "./trace.ts";

/** What one machine has of the store. */
export interface StoreViewFaults {
  /** Nothing of this machine reaches the store, nor comes from there. */
  readonly cut: boolean;
  /** The share of writes that are made although nobody is told, 0 to 1. */
  readonly lostAcks: number;
  /** Reads and watches are behind by this much, in milliseconds. */
  readonly staleMs: number;
  /** How long the store takes, evenly spread, in milliseconds. */
  readonly delayMs: readonly [min: number, max: number];
}

export const noViewFaults: StoreViewFaults = {
  cut: false,
  lostAcks: 0,
  staleMs: 0,
  delayMs: [0.2, 2],
};

/** The machine's part of the store, over all its lives. */
export interface StorePlace {
  faults: StoreViewFaults;
}

/** How long an operation waits for its answer, in milliseconds: as the client of NATS. */
const answerMsMax = 5_000;

export class SimulatedStoreView implements Store {
  readonly #store: SimulatedStore;
  readonly #place: StorePlace;
  readonly #host: SimulatedHost;
  readonly #connection: SimulatedConnection;
  readonly #time: SimulatedTime;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #stops = new Set<() => void>();

  constructor(options: {
    readonly store: SimulatedStore;
    readonly place: StorePlace;
    readonly host: SimulatedHost;
    readonly connection: SimulatedConnection;
    readonly time: SimulatedTime;
    readonly random: Random;
    readonly trace: Trace;
  }) {
    this.#store = options.store;
    this.#place = options.place;
    this.#host = options.host;
    this.#connection = options.connection;
    this.#time = options.time;
    this.#random = options.random;
    this.#trace = options.trace;
  }

  async get(key: string): Promise<Entry | undefined> {
    assertKey(key);
    return this.#ask(`get ${key}`, true, () => this.#store.get(key, this.#place.faults.staleMs));
  }

  async create(key: string, value: Uint8Array): Promise<number> {
    return this.#put(`create ${key}`, key, value, 0);
  }

  async update(key: string, value: Uint8Array, revision: number): Promise<number> {
    return this.#put(`update ${key}`, key, value, revision);
  }

  async delete(key: string, revision: number): Promise<void> {
    assertKey(key);
    return this.#ask(`delete ${key}`, false, () =>
      this.#store.delete(key, revision, this.#host.name),
    );
  }

  async watch(
    onChange: (change: Change) => void,
    { prefix = "" }: { readonly prefix?: string } = {},
  ): Promise<{ readonly stop: () => void }> {
    const watch = new SimulatedWatch({
      time: this.#time,
      onChange,
      isReachable: () => this.#isReachable(true),
      send: (run) => this.#connection.in.passSurely(run),
    });
    const first = await this.#ask("watch", true, () => {
      const stopStore = this.#store.watch((change) => {
        if (!change.key.startsWith(prefix)) return;
        watch.changed(change, this.#delay() + this.#place.faults.staleMs);
      });
      const stop = (): void => {
        stopStore();
        watch.stop();
        this.#stops.delete(stop);
      };
      this.#stops.add(stop);
      return { stop, entries: this.#store.entries(prefix) };
    });
    watch.begin(first.entries);
    return { stop: first.stop };
  }

  async close(): Promise<void> {
    this.end();
  }

  /** Stops every watch. */
  end(): void {
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }

  #put(operation: string, key: string, value: Uint8Array, revision: number): Promise<number> {
    assertKey(key);
    const { name } = this.#host;
    return this.#ask(operation, false, () => this.#store.put(key, value, revision, name));
  }

  #ask<T>(operation: string, isRead: boolean, run: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stopTimer = this.#host.clock.after(answerMsMax, () =>
      reject(new StoreUnavailableError(operation)),
    );
    this.#connection.out.passSurely(() => {
      if (this.#host.isAlive && this.#isReachable(isRead))
        this.#perform(operation, run, (settle) =>
          this.#connection.in.passSurely(() => {
            stopTimer();
            settle({ resolve, reject });
          }),
        );
    });
    return promise;
  }

  #isReachable(isRead: boolean): boolean {
    const { state } = this.#store;
    if (this.#place.faults.cut || state === "unavailable") return false;
    return isRead || state === "healthy";
  }

  #perform<T>(
    operation: string,
    run: () => T,
    answer: (settle: (by: Settle<T>) => void) => void,
  ): void {
    const outcome = attempt(run);
    const { lostAcks } = this.#place.faults;
    if (lostAcks > 0 && this.#random.u32() / 2 ** 32 < lostAcks)
      return this.#trace.note("ack lost", operation, { to: this.#host.name });
    this.#time.at(this.#time.nowMs + this.#delay(), () => {
      if (!this.#place.faults.cut) answer(outcome);
    });
  }

  #delay(): number {
    const [min, max] = this.#place.faults.delayMs;
    return min + (this.#random.u32() / 2 ** 32) * (max - min);
  }
}

interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function attempt<T>(run: () => T): (by: Settle<T>) => void {
  try {
    const value = run();
    return ({ resolve }) => resolve(value);
  } catch (thrown) {
    return ({ reject }) => reject(thrown);
  }
}
