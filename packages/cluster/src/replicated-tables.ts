/**
 * Tables that every node writes its own part of and every node can read whole: the shell around `replica-state.ts`.
 *
 * Eventually consistent and without the store: what is written is seen by a reachable node after one message, and nothing
 * waits for it. What a node wrote is gone for the others while they cannot reach it.
 *
 * @module
 */
import type { NodeAddress } from "@coppice/kernel";
import { BadFrameError, encode } from "@coppice/net";
import type { NodePort } from "./node-port.ts";
import { type Diff, ReplicaState, type Row, type Taken } from "./replica-state.ts";

/** The most bytes of rows in one piece of a whole part. */
const pieceBytesMax = 128 * 1024;
/** The most rows of one message about a write. */
const rowsPerDeltaMax = 1_000;

/** What the tables need of their node. */
interface Options {
  readonly self: NodeAddress;
  readonly port: NodePort;
  /** The nodes that are up. */
  readonly peers: () => Iterable<NodeAddress>;
}

/** How a table is used. */
export interface TableUses<V> {
  /** Checks a value that arrived. @throws {BadFrameError} for one that nobody writes. */
  readonly parse: (value: unknown) => V;
  /** Told of every change, of own writes as well. */
  readonly onChange: (diff: Diff<V>) => void;
}

/** One table, as one node sees it. Values are plain data. */
export class Table<V> {
  readonly #name: string;
  readonly #options: Options;
  readonly #parse: (value: unknown) => V;
  readonly #onChange: (diff: Diff<V>) => void;
  readonly #own = new Map<string, V>();
  readonly #copies = new ReplicaState<V>();
  #version = 0;

  constructor(name: string, options: Options, uses: TableUses<V>) {
    this.#name = name;
    this.#options = options;
    this.#parse = uses.parse;
    this.#onChange = uses.onChange;
  }

  /** How often this node has written. */
  get version(): number {
    return this.#version;
  }

  /** This node's own row. */
  own(key: string): V | undefined {
    return this.#own.get(key);
  }

  /** Every row of the cluster, this node's first. */
  *rows(): Generator<readonly [from: NodeAddress, key: string, value: V]> {
    for (const [key, value] of this.#own) yield [this.#options.self, key, value];
    yield* this.#copies.rows();
  }

  /** Writes to this node's part, and tells the others. */
  write(change: {
    readonly removed?: readonly string[];
    readonly added?: readonly Row<V>[];
  }): void {
    const { removed = [], added = [] } = change;
    const gone: Row<V>[] = [];
    for (const key of [...removed, ...added.map(([each]) => each)]) {
      const value = this.#own.get(key);
      if (value !== undefined) gone.push([key, value]);
      this.#own.delete(key);
    }
    for (const [key, value] of added) this.#own.set(key, value);
    if (gone.length === 0 && added.length === 0) return;
    for (let at = 0; at < Math.max(removed.length, added.length); at += rowsPerDeltaMax) {
      this.#version += 1;
      const some = [removed, added].map((all) => all.slice(at, at + rowsPerDeltaMax));
      for (const peer of this.#options.peers())
        this.#options.port.cast(peer, "table.delta", [this.#name, this.#version, ...some]);
    }
    this.#onChange({ from: this.#options.self, removed: gone, added });
  }

  /** Sends the whole part of this node, in pieces. */
  sendTo(to: NodeAddress): void {
    const pieces: Row<V>[][] = [[]];
    let bytes = 0;
    for (const row of this.#own) {
      bytes += encode(row).length;
      if (bytes > pieceBytesMax && pieces.at(-1)!.length > 0) {
        pieces.push([]);
        bytes = 0;
      }
      pieces.at(-1)!.push(row);
    }
    for (const [index, rows] of pieces.entries()) {
      const piece = [this.#name, this.#version, index, pieces.length, rows];
      this.#options.port.cast(to, "table.piece", piece);
    }
  }

  /** Rows that arrived. @throws {BadFrameError} */
  rowsOf(value: unknown): Row<V>[] {
    return rowsOf(value).map(([key, item]) => [key, this.#parse(item)] as const);
  }

  /** Carries a step of the state out. Returns whether the whole part of that node is needed. */
  take(step: (copies: ReplicaState<V>) => Taken<V>): boolean {
    const { diff, behind = false } = step(this.#copies);
    if (diff !== undefined) this.#onChange(diff);
    return behind;
  }
}

export class ReplicatedTables {
  readonly #options: Options;
  readonly #tables = new Map<string, Table<unknown>>();

  constructor(options: Options) {
    this.#options = options;
    const { port } = options;
    port.on("table.ask", (from, [names]) => {
      for (const name of listOf(names)) this.#tables.get(String(name))?.sendTo(from);
    });
    port.on("table.delta", (from, [name, version, removed, added]) => {
      const keys = listOf(removed).map(String);
      const versionOf = numberOf(version);
      this.#take(name, from, (copies, table) =>
        copies.delta(from, { version: versionOf, removed: keys, added: table.rowsOf(added) }),
      );
    });
    port.on("table.piece", (from, [name, version, index, count, rows]) => {
      const piece = {
        version: numberOf(version),
        index: numberOf(index),
        count: numberOf(count),
      };
      this.#take(name, from, (copies, table) =>
        copies.snapshot(from, { ...piece, rows: table.rowsOf(rows) }),
      );
    });
  }

  /** Opens a table: the same on every node, before the first of them is heard. */
  open<V>(name: string, uses: TableUses<V>): Table<V> {
    const table = new Table<V>(name, this.#options, uses);
    this.#tables.set(name, table as unknown as Table<unknown>);
    return table;
  }

  /** A node is up: asks for all it has written. */
  up(address: NodeAddress): void {
    for (const table of this.#tables.values()) table.take((copies) => copies.up(address));
    this.askAll(address);
  }

  /** A node is down: what it has written is gone. */
  down(address: NodeAddress): void {
    for (const table of this.#tables.values()) table.take((copies) => copies.down(address));
  }

  /** Messages of a node may have been lost. */
  askAll(address: NodeAddress): void {
    this.#ask(address, [...this.#tables.keys()]);
  }

  /** The versions of this node's parts, for its pulse. */
  versions(): readonly Row<number>[] {
    return [...this.#tables].map(([name, { version }]) => [name, version] as const);
  }

  /** Another node's pulse: whatever was lost without a trace is noticed here. */
  heardVersions(from: NodeAddress, versions: readonly Row<unknown>[]): void {
    const behind = versions.filter(([name, version]) =>
      this.#tables.get(name)?.take((copies) => copies.heardVersion(from, numberOf(version))),
    );
    if (behind.length > 0)
      this.#ask(
        from,
        behind.map(([name]) => name),
      );
  }

  #take(
    name: unknown,
    from: NodeAddress,
    step: (copies: ReplicaState<unknown>, table: Table<unknown>) => Taken<unknown>,
  ): void {
    const table = this.#tables.get(String(name));
    if (table?.take((copies) => step(copies, table)) === true) this.#ask(from, [String(name)]);
  }

  #ask(address: NodeAddress, names: readonly string[]): void {
    this.#options.port.cast(address, "table.ask", [names]);
  }
}

function numberOf(value: unknown): number {
  if (typeof value !== "number") throw new BadFrameError("a table's message is malformed");
  return value;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new BadFrameError("a table's message is malformed");
  return value;
}

export function rowsOf(value: unknown): readonly Row<unknown>[] {
  return listOf(value).map((row) => {
    const [key, item] = listOf(row);
    if (typeof key !== "string") throw new BadFrameError("a table's row is malformed");
    return [key, item];
  });
}
