/**
 * Draining a node: it takes nothing new, and hands every process it runs for a name to another node.
 *
 * @module
 */
import type { NodeAddress } from "@coppice/kernel";
import type { SingletonHandle } from "./singleton.ts";

/** How many processes are handed over at a time. */
const movesMax = 16;

/** What a drain did. */
export interface DrainResult {
  /** Names that other nodes have now. */
  readonly handedOver: readonly string[];
  /** Names that no other node takes: they run on here until the node stops. */
  readonly kept: readonly string[];
}

/** Hands over what is active, to the first of the nodes, in each name's own order, that takes it. */
export async function handOverAll(
  handles: readonly SingletonHandle[],
  candidatesFor: (name: string) => readonly NodeAddress[],
): Promise<DrainResult> {
  const waiting = handles.filter((handle) => handle.isActive());
  const handedOver: string[] = [];
  const kept: string[] = [];
  const work = async (): Promise<void> => {
    for (let handle = waiting.shift(); handle !== undefined; handle = waiting.shift()) {
      const isMoved = await handle.handOff(candidatesFor(handle.name));
      if (isMoved) handedOver.push(handle.name);
      else if (handle.isActive()) kept.push(handle.name);
    }
  };
  await Promise.all(Array.from({ length: movesMax }, work));
  return { handedOver: handedOver.sort(), kept: kept.sort() };
}
