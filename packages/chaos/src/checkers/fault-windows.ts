/**
 * Until when faults may harm what goes from one node to another.
 *
 * A fault of anything that is no node, such as a server, may harm everybody.
 *
 * @module
 */
import type { FaultEvent } from "../history.ts";

export class FaultWindows {
  readonly #nodes = new Set<string>();
  readonly #untilMs = new Map<string, number>();
  #allUntilMs = -Infinity;

  /** It is the name of a node: a fault of it harms nobody else. */
  isNode(name: string): void {
    this.#nodes.add(name);
  }

  take({ targets, untilMs }: FaultEvent): void {
    for (const target of targets)
      if (!this.#nodes.has(target)) this.#allUntilMs = Math.max(untilMs, this.#allUntilMs);
      else this.#untilMs.set(target, Math.max(untilMs, this.#untilMs.get(target) ?? -Infinity));
  }

  /** When the last fault was taken back that may harm one of them: `-Infinity` if there was none. */
  untilMs(...nodes: readonly string[]): number {
    const own = nodes.map((node) => this.#untilMs.get(node) ?? -Infinity);
    return Math.max(this.#allUntilMs, ...own);
  }
}
