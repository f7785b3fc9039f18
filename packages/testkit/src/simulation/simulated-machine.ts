/**
 * A machine of a simulated cluster: its link, its clocks, its part of the store, and the node that lives on it now.
 *
 * @module
 */
import { type ClusterNode, type NodeOptions, startNode } from "@coppice/cluster";
import type { Logger, Random } from "@coppice/kernel";
import { SimulatedConnection } from "./simulated-connection.ts";
import { SimulatedHost } from "./simulated-host.ts";
import { SimulatedLink } from "./simulated-link.ts";
import type { SimulatedNetwork } from "./simulated-network.ts";
import { noViewFaults, SimulatedStoreView, type StoreViewFaults } from "./simulated-store-view.ts";
import type { SimulatedStore } from "./simulated-store.ts";
import type { SimulatedTime } from "./simulated-time.ts";
import type { Trace } from "./trace.ts";

/** What all machines share. */
export interface SimulatedWorld {
  readonly time: SimulatedTime;
  readonly random: Random;
  readonly trace: Trace;
  readonly network: SimulatedNetwork;
  readonly store: SimulatedStore;
}

/** One life of a machine. */
interface Life {
  readonly host: SimulatedHost;
  readonly connection: SimulatedConnection;
  readonly view: SimulatedStoreView;
}

export class SimulatedMachine {
  readonly name: string;
  readonly link = new SimulatedLink();
  readonly #world: SimulatedWorld;
  readonly #rate: number;
  readonly #place = { faults: noViewFaults };
  #life: Life | undefined;
  #node: ClusterNode | undefined;
  #lives = 0;
  #wallShiftMs = 0;

  constructor(name: string, rate: number, world: SimulatedWorld) {
    this.name = name;
    this.#rate = rate;
    this.#world = world;
  }

  /** The node, once it has started. */
  get node(): ClusterNode | undefined {
    return this.#node;
  }

  get isAlive(): boolean {
    return this.#life !== undefined;
  }

  get isFrozen(): boolean {
    return this.#life?.host.isFrozen === true;
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives;
  }

  /** Starts a node in a new life. Fails as `startNode` does; the life is over then. */
  async launch(
    options: Partial<NodeOptions> & { readonly cluster: string; readonly logger: Logger },
  ): Promise<ClusterNode> {
    if (this.#life !== undefined) throw new Error(`${this.name} is running`);
    const { time, random, trace, network, store } = this.#world;
    this.#lives += 1;
    trace.note("start", this.name);
    const host = new SimulatedHost(this.name, time, {
      rate: this.#rate,
      startMs: random.u32() % 1_000_000,
    });
    host.jumpWall(this.#wallShiftMs);
    const connection = new SimulatedConnection({ host, time, random, link: this.link, network });
    const place = this.#place;
    const view = new SimulatedStoreView({ store, place, host, connection, time, random, trace });
    const life = { host, connection, view };
    this.#life = life;
    try {
      const node = await startNode({
        osPid: this.#lives,
        random,
        ...options,
        onDeposed: (error) => {
          if (this.#life !== life) return;
          this.kill();
          options.onDeposed?.(error);
        },
        name: this.name,
        clock: host.clock,
        transport: connection,
        store: view,
      });
      this.#node = node;
      return node;
    } catch (thrown) {
      if (this.#life === life) this.kill();
      throw thrown;
    }
  }

  /** As SIGKILL: nothing of it runs again, and the network learns that its connection is closed. */
  kill(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#world.trace.note("kill", this.name);
    this.#life = undefined;
    this.#node = undefined;
    life.host.kill();
    life.view.end();
    life.connection.end();
  }

  /** As SIGSTOP. */
  freeze(): void {
    this.#world.trace.note("freeze", this.name);
    this.#life?.host.freeze();
  }

  thaw(): void {
    this.#world.trace.note("thaw", this.name);
    this.#life?.host.thaw();
  }

  /** Its connection breaks, which the network knows at once and the node after `noticeMs`; it is there again `downMs` later. */
  reset(downMs: number, noticeMs: number): void {
    this.#world.trace.note("reset", this.name);
    this.#life?.connection.reset(downMs, noticeMs);
  }

  setStore(faults: Partial<StoreViewFaults>): void {
    this.#place.faults = { ...this.#place.faults, ...faults };
  }

  /** Moves its wall clock, also that of later lives. */
  jumpWall(ms: number): void {
    this.#wallShiftMs += ms;
    this.#life?.host.jumpWall(ms);
  }
}
