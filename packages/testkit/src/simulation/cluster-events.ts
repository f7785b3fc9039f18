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
  /** The node that wrote. */
  readonly by: string;
}

/** A write to the session of a node: it began, was renewed, or ended. */
export interface SessionWrite {
  readonly type: "session";
  readonly atMs: number;
  readonly node: string;
  /** `<node>.<incarnation>`; nothing: the session was ended. */
  readonly life?: string;
  /** The node that wrote. */
  readonly by: string;
}

export type ClusterEvent = ClusterFault | NameWrite | SessionWrite;

/** Reads the writes to names and sessions out of the writes to the store. */
export class RegistryReader {
  readonly #names = new Map<string, string>();

  /** Nothing for a write to something else. */
  read(change: Change, atMs: number, by: string): NameWrite | SessionWrite | undefined {
    if (change.key.startsWith("name.")) return this.#readName(change, atMs, by);
    if (!change.key.startsWith("session.")) return undefined;
    if (change.type === "delete")
      return { type: "session", atMs, node: change.key.slice("session.".length), by };
    const address = decode(change.value) as NodeAddress;
    return { type: "session", atMs, node: address.node, life: lifeOf(address), by };
  }

  #readName(change: Change, atMs: number, by: string): NameWrite | undefined {
    const { key, revision } = change;
    if (change.type === "delete") {
      const name = this.#names.get(key);
      return name === undefined ? undefined : { type: "ownership", atMs, name, revision, by };
    }
    const { name, owner } = decode(change.value) as { name: string; owner: NodeAddress };
    this.#names.set(key, name);
    return { type: "ownership", atMs, name, revision, owner: lifeOf(owner), epoch: revision, by };
  }
}

function lifeOf({ node, incarnation }: NodeAddress): string {
  return `${node}.${incarnation}`;
}
