/**
 * Who wants to know of nodes that come and go (A8).
 *
 * Invariants:
 *   A8.2. "nodeup" comes after the node is among `nodes()` and before any signal of it; "nodedown" after every signal of it
 *         and after it left `nodes()`; of two lives of a node, the down of the first comes before the up of the second.
 *
 * @module
 */
import type { Kernel, NodeAddress, Pid } from "@coppice/kernel";
import type { Outlet, Outlets } from "./outlet.ts";

/** Told as a plain message. */
export class NodeEvent {
  readonly type: "nodeup" | "nodedown";
  readonly node: string;
  readonly incarnation: string;
  /**
   * With `nodedown`: `left` when it stopped or its connection is known to be closed, `unreachable` when it is only silent
   * and may still run.
   */
  readonly reason: "left" | "unreachable" | undefined;

  constructor(
    type: "nodeup" | "nodedown",
    { node, incarnation }: NodeAddress,
    reason?: "left" | "unreachable",
  ) {
    this.type = type;
    this.node = node;
    this.incarnation = incarnation;
    this.reason = reason;
  }
}

interface Watching {
  readonly pid: Pid;
  readonly outlet: Outlet;
  readonly stop: () => void;
}

export class NodeMonitors {
  readonly #kernel: Kernel;
  readonly #outlets: Outlets;
  readonly #watching = new Set<Watching>();

  constructor(options: { readonly kernel: Kernel; readonly outlets: Outlets }) {
    this.#kernel = options.kernel;
    this.#outlets = options.outlets;
  }

  /** Each `true` adds a subscription, with one message each; `false` ends all of this process. */
  monitor(pid: Pid, wanted: boolean): void {
    if (wanted) {
      const outlet = this.#outlets.open(pid, "nodes");
      const stop = this.#kernel.monitor(pid, () => this.#watching.delete(watching));
      const watching: Watching = { pid, outlet, stop };
      this.#watching.add(watching);
      return;
    }
    for (const watching of this.#watching) {
      if (watching.pid.toString() !== pid.toString()) continue;
      watching.stop();
      this.#watching.delete(watching);
    }
  }

  tell(event: NodeEvent): void {
    for (const { outlet } of this.#watching) outlet.deliver(event);
  }
}
