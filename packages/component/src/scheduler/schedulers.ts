/**
 * The schedulers of one node: that of its own thread, and those of threads beside it while a pool of them runs.
 *
 * @module
 */
import { type Behaviour, type Kernel, type Self } from "@coppice/kernel";
import type { ChildSpec } from "@coppice/otp";
import type { CompiledComponent } from "../compile.ts";
import { type Instance, instantiate } from "../instance.ts";
import { PlacementError } from "./errors.ts";
import type { RemoteOptions } from "./remote-instance.ts";
import { Scheduler } from "./scheduler.ts";
import { SchedulerThread } from "./scheduler-thread.ts";
import { staysBecause } from "./thread-imports.ts";

/** Where a component runs: on a thread of the pool if the node has one, or always on the node's own thread. */
export type Placement = "pool" | "node";

/** Threads to run components on. */
export interface ComponentSchedulersSpec extends Omit<ChildSpec, "start" | "type" | "prepare"> {
  /** How many threads. Each is started when it is first needed. */
  readonly threads: number;
  /** The most memory of a thread's JavaScript heap, in MiB; the memories of guests are apart. Default: 1_024. */
  readonly heapMiBMax?: number;
}

const heapMiBMaxDefault = 1_024;

/**
 * A pool of scheduler threads as a child: components started after it on this node run there, so that the node's own
 * thread only carries their calls. When it ends, its threads end, and with them the components on them. A thread that
 * dies is a crash of the components on it; the pool starts another.
 *
 * @throws {RangeError} if `threads` is not a whole number, 1 or more.
 */
export function componentSchedulers(spec: ComponentSchedulersSpec): ChildSpec {
  const { threads, heapMiBMax = heapMiBMaxDefault, ...child } = spec;
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`threads must be a whole number, 1 or more, not ${threads}`);
  return {
    ...child,
    start: (options, { kernel }) =>
      kernel.start(new SchedulerPool(threads, heapMiBMax), {
        kind: "component-schedulers",
        ...options,
      }),
  };
}

/** What a node runs components with. */
interface OfNode {
  readonly scheduler: Scheduler;
  readonly pools: Set<SchedulerPool>;
}

const ofNodes = new WeakMap<Kernel, OfNode>();

function ofNode(kernel: Kernel): OfNode {
  let found = ofNodes.get(kernel);
  if (found === undefined) {
    found = { scheduler: new Scheduler({ clock: kernel.clock }), pools: new Set() };
    ofNodes.set(kernel, found);
  }
  return found;
}

/**
 * Makes an instance where it belongs.
 *
 * @throws {PlacementError} if it has to run on a thread, and cannot.
 * @throws what `instantiate` throws.
 */
export async function openInstance(
  kernel: Kernel,
  compiled: CompiledComponent,
  { placement, ...options }: RemoteOptions & { readonly placement: Placement | undefined },
): Promise<Instance> {
  const { scheduler, pools } = ofNode(kernel);
  const [pool] = pools;
  if (placement !== "node" && pool !== undefined) {
    const why = staysBecause(compiled.world, options.imports);
    if (why === undefined) return pool.open(compiled, options);
    if (placement === "pool") throw new PlacementError(compiled.source, why);
  }
  return instantiate(compiled, { ...options, scheduler });
}

class SchedulerPool implements Behaviour {
  readonly #threadsMax: number;
  readonly #heapMiBMax: number;
  readonly #threads = new Set<SchedulerThread>();
  #self: Self | undefined;

  constructor(threadsMax: number, heapMiBMax: number) {
    this.#threadsMax = threadsMax;
    this.#heapMiBMax = heapMiBMax;
  }

  start(self: Self): void {
    this.#self = self;
    ofNode(self.kernel).pools.add(this);
  }

  handle(): void {}

  describe(): Readonly<Record<string, unknown>> {
    return { instances: [...this.#threads].map(({ instances }) => instances) };
  }

  ended(): void {
    const { kernel } = this.#self!;
    ofNode(kernel).pools.delete(this);
    for (const thread of this.#threads) void thread.end();
  }

  open(compiled: CompiledComponent, options: RemoteOptions): Promise<Instance> {
    return this.#leastUsed().open(compiled, options);
  }

  #leastUsed(): SchedulerThread {
    const [least] = [...this.#threads].toSorted((a, b) => a.instances - b.instances);
    const another = least === undefined || least.instances > 0;
    if (!another || this.#threads.size >= this.#threadsMax) return least!;
    const { clock, logger } = this.#self!.kernel;
    const thread = new SchedulerThread({
      clock,
      heapMiBMax: this.#heapMiBMax,
      onLost: (error) => {
        if (this.#threads.delete(thread))
          logger.error({ event: "scheduler_thread_lost" }, error.message);
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}
