/**
 * Who is present under which key of which topic, as one node sees it: a pure state machine over the rows of all nodes.
 *
 * A row belongs to the node that wrote it and to one process there. The same key may be present more than once: in two
 * browser tabs, on two nodes.
 *
 * @module
 */
import type { NodeAddress } from "@coppice/kernel";
import type { Diff } from "./replica-state.ts";

/** One presence under a key. */
export interface PresenceMeta {
  /** Changes with every update. */
  readonly ref: string;
  /** The `ref` that this one replaces. */
  readonly previousRef?: string;
  /** What the process said about itself. */
  readonly meta: unknown;
}

/** By key, oldest first. */
export type PresenceList = ReadonlyMap<string, readonly PresenceMeta[]>;

/** What changed in a topic. An update is a leave of the old and a join of the new. */
export interface PresenceChange {
  readonly joins: PresenceList;
  readonly leaves: PresenceList;
}

/** The value of a row. */
export interface PresenceRow {
  readonly topic: string;
  readonly key: string;
  readonly ref: string;
  readonly previousRef?: string;
  readonly meta: unknown;
}

interface Present extends PresenceMeta {
  /** The node's life and the row it comes from. */
  readonly source: string;
}

export class PresenceState {
  /** By topic, then key. */
  readonly #present = new Map<string, Map<string, readonly Present[]>>();

  list(topic: string): PresenceList {
    const keys = [...(this.#present.get(topic) ?? [])];
    return new Map(keys.map(([key, all]) => [key, all.map(toMeta)]));
  }

  get(topic: string, key: string): readonly PresenceMeta[] {
    return (this.#present.get(topic)?.get(key) ?? []).map(toMeta);
  }

  /** The topics somebody is in. */
  topics(): IterableIterator<string> {
    return this.#present.keys();
  }

  /** Takes what one node wrote, or what is gone with it. Returns the changes, by topic. */
  apply({ from, removed, added }: Diff<PresenceRow>): ReadonlyMap<string, PresenceChange> {
    const changes = new Map<string, { joins: Changes; leaves: Changes }>();
    const changeOf = (topic: string): { joins: Changes; leaves: Changes } => {
      const change = changes.get(topic) ?? { joins: new Map(), leaves: new Map() };
      changes.set(topic, change);
      return change;
    };
    for (const [row, value] of removed) {
      this.#remove(sourceOf(from, row), value);
      push(changeOf(value.topic).leaves, value.key, toMeta(value));
    }
    for (const [row, value] of added) {
      this.#add(sourceOf(from, row), value);
      push(changeOf(value.topic).joins, value.key, toMeta(value));
    }
    return changes;
  }

  #add(source: string, { topic, key, ...rest }: PresenceRow): void {
    const keys = this.#present.get(topic) ?? new Map<string, readonly Present[]>();
    this.#present.set(topic, keys);
    keys.set(key, [...(keys.get(key) ?? []), { ...rest, source }]);
  }

  #remove(source: string, { topic, key }: PresenceRow): void {
    const keys = this.#present.get(topic);
    if (keys === undefined) return;
    const left = (keys.get(key) ?? []).filter((each) => each.source !== source);
    if (left.length > 0) keys.set(key, left);
    else keys.delete(key);
    if (keys.size === 0) this.#present.delete(topic);
  }
}

type Changes = Map<string, PresenceMeta[]>;

function push(changes: Changes, key: string, meta: PresenceMeta): void {
  changes.set(key, [...(changes.get(key) ?? []), meta]);
}

function sourceOf({ node, incarnation }: NodeAddress, row: string): string {
  return `${node} ${incarnation} ${row}`;
}

function toMeta({ ref, previousRef, meta }: PresenceMeta): PresenceMeta {
  return { ref, ...(previousRef === undefined ? {} : { previousRef }), meta };
}
