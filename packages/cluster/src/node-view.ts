/**
 * The other nodes, as this one sees them now: up, or not.
 *
 * @module
 */
import type { NodeAddress } from "@coppice/kernel";
import type { Member } from "./membership-state.ts";
import type { NodeTraits } from "./node-traits.ts";

/** One node, for people and for placement. */
export interface NodeInfo {
  readonly node: string;
  readonly incarnation: string;
  readonly osPid: number;
  /** `suspect`: silent for a moment. */
  readonly status: "up" | "suspect";
  /** Nothing while the node has no session: it owns no name and takes none. */
  readonly traits: NodeTraits | undefined;
}

/** The life of every other node that is up. It changes in the moment of nodeup and nodedown (A8.2). */
export class NodeView {
  readonly #up = new Map<string, NodeAddress>();

  get names(): readonly string[] {
    return [...this.#up.keys()].sort();
  }

  get addresses(): Iterable<NodeAddress> {
    return this.#up.values();
  }

  addressOf(node: string): NodeAddress | undefined {
    return this.#up.get(node);
  }

  up({ node, incarnation }: Member): void {
    this.#up.set(node, { node, incarnation });
  }

  down({ node, incarnation }: Member): void {
    if (this.#up.get(node)?.incarnation === incarnation) this.#up.delete(node);
  }
}
