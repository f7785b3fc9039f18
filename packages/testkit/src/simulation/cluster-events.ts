/**
 * What a simulated cluster writes down by itself: faults, and every write to the registry of names.
 *
 * The shapes are those of the events of `@coppice/chaos`, so that its checkers read them.
 *
 * @module
 */
import type { NodeAddress } from "@coppice/kernel";
import { type Change, decode } from "@coppice/net";

/** Something was done to the cluster. */
export interface ClusterFault {
  readonly type: "fault";
  readonly atMs: number;
  readonly untilMs: number;
  readonly kind: string;
  readonly targets: readonly string[];
}

/** A write to the registry of names, in the store's order. */
export interface NameWrite {
  readonly type: "ownership";
  readonly atMs: number;
  readonly name: string;
  readonly revision: number;
  /** `<node>.<incarnation>`; nothing: the name was given up. */
  readonly owner?: string;
  readonly epoch?: number;
}

export type ClusterEvent = ClusterFault | NameWrite;

/** Reads the writes to names out of the writes to the store. */
export function nameWrites(): (change: Change, atMs: number) => NameWrite | undefined {
  const names = new Map<string, string>();
  return (change, atMs) => {
    const { key, revision } = change;
    if (!key.startsWith("name.")) return undefined;
    if (change.type === "delete") {
      const name = names.get(key);
      return name === undefined ? undefined : { type: "ownership", atMs, name, revision };
    }
    const { name, owner } = decode(change.value) as { name: string; owner: NodeAddress };
    names.set(key, name);
    const life = `${owner.node}.${owner.incarnation}`;
    return { type: "ownership", atMs, name, revision, owner: life, epoch: revision };
  };
}
