/**
 * The events of all nodes as one stream in the order of time, while they are written.
 *
 * An event is handed on once every node has had the time to write what came before it; that of a frozen node cannot be
 * waited for, so the stream stands still while one is frozen.
 *
 * @module
 */
import type { HistoryEvent } from "../history.ts";
import type { HarnessTime } from "./harness-time.ts";
import { LifeLog } from "./life-log.ts";

export type EventSink = (event: HistoryEvent) => void;

/** How long a node may take between the time of an event and its line, in milliseconds. */
const lateMsMax = 1_000;

export class HistoryStream {
  readonly #folder: string;
  readonly #keep: boolean;
  readonly #now: HarnessTime;
  /** Nothing later than this may be handed on yet. */
  readonly #holdBackMs: () => number;
  readonly #sinks: readonly EventSink[];
  readonly #lives = new Map<string, LifeLog>();
  readonly #pending: HistoryEvent[] = [];
  readonly #endedTallies: Record<string, number> = {};
  /** Lines that could not be read. */
  broken = 0;

  constructor(options: {
    readonly folder: string;
    readonly keep: boolean;
    readonly now: HarnessTime;
    readonly holdBackMs: () => number;
    readonly sinks: readonly EventSink[];
  }) {
    this.#folder = options.folder;
    this.#keep = options.keep;
    this.#now = options.now;
    this.#holdBackMs = options.holdBackMs;
    this.#sinks = options.sinks;
  }

  /** A life of a node begins: its files are read from now on. */
  began(node: string, life: number): void {
    const log = new LifeLog({ folder: this.#folder, node, life, keep: this.#keep });
    this.#lives.set(`${node}/${life}`, log);
  }

  /** A life of a node has ended. */
  ended(node: string, life: number): void {
    const key = `${node}/${life}`;
    const log = this.#lives.get(key);
    if (log === undefined) return;
    this.#lives.delete(key);
    this.#add(log.readToEnd(this.#now()));
    this.broken += log.broken;
    for (const [name, count] of Object.entries(log.tally))
      this.#endedTallies[name] = (this.#endedTallies[name] ?? 0) + count;
  }

  /** What the runner itself has seen. */
  add(event: HistoryEvent): void {
    this.#pending.push(event);
  }

  /** Reads what is new, and hands on what is old enough. */
  poll(): void {
    for (const log of this.#lives.values()) this.#add(log.read());
    this.#handOn(Math.min(this.#now() - lateMsMax, this.#holdBackMs()));
  }

  /** Hands on all that is left. */
  finish(): void {
    for (const log of this.#lives.values()) this.#add(log.read());
    this.#handOn(Infinity);
  }

  /** Of all lives together. */
  tallies(): Readonly<Record<string, number>> {
    const sums = { ...this.#endedTallies };
    for (const { tally } of this.#lives.values())
      for (const [name, count] of Object.entries(tally)) sums[name] = (sums[name] ?? 0) + count;
    return sums;
  }

  #add(events: readonly HistoryEvent[]): void {
    for (const event of events) this.#pending.push(event);
  }

  #handOn(untilMs: number): void {
    this.#pending.sort((a, b) => a.atMs - b.atMs);
    let count = 0;
    while (count < this.#pending.length && this.#pending[count]!.atMs <= untilMs) count += 1;
    for (const event of this.#pending.splice(0, count)) for (const sink of this.#sinks) sink(event);
  }
}
