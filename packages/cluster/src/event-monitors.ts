/**
 * Processes of this node that are told of events, each subscription once.
 *
 * @module
 */
import { type Kernel, type Pid, samePid } from "@coppice/kernel";
import type { Outlet, Outlets } from "./outlet.ts";

interface Watching {
  readonly pid: Pid;
  readonly outlet: Outlet;
  readonly stop: () => void;
}

export class EventMonitors<E extends object> {
  readonly #kernel: Kernel;
  readonly #outlets: Outlets;
  readonly #source: string;
  readonly #watching = new Set<Watching>();

  constructor(options: {
    readonly kernel: Kernel;
    readonly outlets: Outlets;
    /** What is said to have been missed when a process is too slow. */
    readonly source: string;
  }) {
    this.#kernel = options.kernel;
    this.#outlets = options.outlets;
    this.#source = options.source;
  }

  /** Each `true` adds a subscription, with one message each; `false` ends all of this process. */
  monitor(pid: Pid, wanted: boolean): void {
    if (wanted) {
      const outlet = this.#outlets.open(pid, this.#source);
      const stop = this.#kernel.monitor(pid, () => this.#watching.delete(watching));
      const watching: Watching = { pid, outlet, stop };
      this.#watching.add(watching);
      return;
    }
    for (const watching of this.#watching) {
      if (!samePid(watching.pid, pid)) continue;
      watching.stop();
      this.#watching.delete(watching);
    }
  }

  /** An event must not change any more: its receivers share it. */
  tell(event: E): void {
    for (const { outlet } of this.#watching) outlet.deliver(event);
  }
}
