/**
 * The scheduler threads of a node, as a process: its end is their end.
 *
 * @module
 */
import type { Behaviour, Kernel, Self } from "@coppice/kernel";
import type { CompiledComponent } from "../compile.ts";
import type { Instance } from "../instance.ts";
import type { RemoteOptions } from "./remote-instance.ts";
import { SchedulerThread } from "./scheduler-thread.ts";

/** How large a pool is. */
export interface PoolOptions {
  /** How many threads. Each is started when it is first needed. */
  readonly threads: number;
  /** The most memory of a thread's JavaScript heap, in MiB; the memories of guests are apart. Default: 2_048. */
  readonly heapMiBMax?: number;
}

const heapMiBMaxDefault = 2_048;

export class SchedulerPool implements Behaviour {
  readonly #threadsMax: number;
  readonly #heapMiBMax: number;
  readonly #attached: (kernel: Kernel) => () => void;
  readonly #threads = new Set<SchedulerThread>();
  #kernel: Kernel | undefined;
  #detach: () => void = () => {};

  /** `attached` is told when it runs, and returns what is to run when it does no more. */
  constructor(
    { threads, heapMiBMax = heapMiBMaxDefault }: PoolOptions,
    attached: (kernel: Kernel, pool: SchedulerPool) => () => void,
  ) {
    this.#threadsMax = threads;
    this.#heapMiBMax = heapMiBMax;
    this.#attached = (kernel) => attached(kernel, this);
  }

  start(self: Self): void {
    this.#kernel = self.kernel;
    this.#detach = this.#attached(self.kernel);
  }

  handle(): void {}

  describe(): Readonly<Record<string, unknown>> {
    return { instances: [...this.#threads].map(({ instances }) => instances) };
  }

  ended(): void {
    this.#detach();
    for (const thread of this.#threads) void thread.end();
  }

  /** How many instances its threads run. */
  get instances(): number {
    return [...this.#threads].reduce((sum, thread) => sum + thread.instances, 0);
  }

  /** Makes a later start quick: a thread runs, and knows the component. */
  prepare(compiled: CompiledComponent): void {
    this.#leastUsed().prepare(compiled);
  }

  open(compiled: CompiledComponent, options: RemoteOptions): Promise<Instance> {
    return this.#leastUsed().open(compiled, options);
  }

  #leastUsed(): SchedulerThread {
    const [least] = [...this.#threads].toSorted((a, b) => a.instances - b.instances);
    const another = least === undefined || least.instances > 0;
    if (!another || this.#threads.size >= this.#threadsMax) return least!;
    const { clock, logger } = this.#kernel!;
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
