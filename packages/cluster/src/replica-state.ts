/**
 * What one node knows of a table that every node writes its own part of: a pure state machine.
 *
 * Each node is the only writer of its part and numbers its writes. The others hold a copy that follows write by write, and
 * ask for all of it when a number is missing. There is nothing to merge, so there is nothing to resolve after a split.
 * Invariants:
 *   T1. A copy is the writer's part as it was after the write the copy names, of that very life of the node.
 *   T2. A copy of a node that is down is gone; when the node is up again it is fetched whole.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { NodeAddress } from "@coppice/kernel";

/** One row: its key is unique within its node's part. */
export type Row<V> = readonly [key: string, value: V];

/** What changed in the copy of one node's part. An overwritten row is removed and added. */
export interface Diff<V> {
  readonly from: NodeAddress;
  readonly removed: readonly Row<V>[];
  readonly added: readonly Row<V>[];
}

/** One write. */
export interface Delta<V> {
  readonly version: number;
  readonly removed: readonly string[];
  readonly added: readonly Row<V>[];
}

/** One piece of a whole part. */
export interface SnapshotPiece<V> {
  readonly version: number;
  readonly index: number;
  readonly count: number;
  readonly rows: readonly Row<V>[];
}

interface Copy<V> {
  readonly incarnation: string;
  /** Nothing until the whole part has arrived. */
  version: number | undefined;
  rows: Map<string, V>;
  /** The pieces of a snapshot so far, and of which version. */
  pieces: Row<V>[];
  piecesVersion: number;
  pieceNext: number;
}

/** `behind`: writes are missing, ask for the whole part. */
export type Taken<V> = { readonly diff?: Diff<V>; readonly behind?: true };

export class ReplicaState<V> {
  readonly #copies = new Map<string, Copy<V>>();

  /** Every row of every copy, with whose it is. */
  *rows(): Generator<readonly [from: NodeAddress, key: string, value: V]> {
    for (const [node, { incarnation, rows }] of this.#copies)
      for (const [key, value] of rows) yield [{ node, incarnation }, key, value];
  }

  /** A life of a node is up: its part is to be asked for. Forgets an earlier life. */
  up({ node, incarnation }: NodeAddress): Taken<V> {
    const known = this.#copies.get(node);
    if (known?.incarnation === incarnation) return {};
    const rows = new Map<string, V>();
    const empty = { pieces: [], piecesVersion: 0, pieceNext: 0 };
    this.#copies.set(node, { incarnation, version: undefined, rows, ...empty });
    if (known === undefined) return {};
    return withDiff({ node, incarnation: known.incarnation }, [...known.rows], []);
  }

  down({ node, incarnation }: NodeAddress): Taken<V> {
    const copy = this.#copies.get(node);
    if (copy?.incarnation !== incarnation) return {};
    this.#copies.delete(node);
    return withDiff({ node, incarnation }, [...copy.rows], []);
  }

  /** The writer says which write was its last. */
  heardVersion(from: NodeAddress, version: number): Taken<V> {
    const copy = this.#copyOf(from);
    return copy === undefined || copy.version === version ? {} : { behind: true };
  }

  delta(from: NodeAddress, { version, removed, added }: Delta<V>): Taken<V> {
    const copy = this.#copyOf(from);
    if (copy?.version === undefined || version <= copy.version) return {}; // The whole part is on its way.
    if (version !== copy.version + 1) return { behind: true };
    copy.version = version;
    const gone: Row<V>[] = [];
    for (const key of [...removed, ...added.map(([each]) => each)]) {
      const value = copy.rows.get(key);
      if (value !== undefined) gone.push([key, value]);
      copy.rows.delete(key);
    }
    for (const [key, value] of added) copy.rows.set(key, value);
    return withDiff(from, gone, added);
  }

  snapshot(from: NodeAddress, piece: SnapshotPiece<V>): Taken<V> {
    const copy = this.#copyOf(from);
    if (copy === undefined) return {};
    if (piece.index === 0)
      Object.assign(copy, { pieces: [], piecesVersion: piece.version, pieceNext: 0 });
    if (piece.index !== copy.pieceNext || piece.version !== copy.piecesVersion) return {};
    copy.pieces.push(...piece.rows);
    copy.pieceNext += 1;
    if (copy.pieceNext < piece.count) return {};
    const before = copy.rows;
    copy.rows = new Map(copy.pieces);
    copy.version = piece.version;
    copy.pieces = [];
    const removed = [...before].filter(
      ([key, value]) => !isDeepStrictEqual(copy.rows.get(key), value),
    );
    const added = [...copy.rows].filter(
      ([key, value]) => !isDeepStrictEqual(before.get(key), value),
    );
    return withDiff(from, removed, added);
  }

  #copyOf({ node, incarnation }: NodeAddress): Copy<V> | undefined {
    const copy = this.#copies.get(node);
    return copy?.incarnation === incarnation ? copy : undefined;
  }
}

function withDiff<V>(
  from: NodeAddress,
  removed: readonly Row<V>[],
  added: readonly Row<V>[],
): Taken<V> {
  return removed.length === 0 && added.length === 0 ? {} : { diff: { from, removed, added } };
}
