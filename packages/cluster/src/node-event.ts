/**
 * News of nodes that come and go (A8).
 *
 * Invariants:
 *   A8.2. "nodeup" comes after the node is among `nodes()` and before any signal of it; "nodedown" after every signal of it
 *         and after it left `nodes()`; of two lives of a node, the down of the first comes before the up of the second.
 *
 * @module
 */
import type { NodeAddress } from "@coppice/kernel";

/** Told as a plain message. */
export class NodeEvent {
  readonly type: "nodeup" | "nodedown";
  readonly node: string;
  readonly incarnation: string;
  /**
   * With `nodedown`: `left` when it stopped, others ended its session, or its connection is known to be closed;
   * `unreachable` when it is only silent and may still run.
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
