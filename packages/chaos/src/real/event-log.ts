/**
 * Where one life of a node writes its events: a file, a line each, that whoever checks reads while it grows.
 *
 * Each line is written before what it tells of goes on, so that a process that is killed in the next moment has told.
 * A file that has grown large is followed by another, so that what has been read can be deleted.
 *
 * @module
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { HistoryEvent } from "../history.ts";
import type { HarnessTime } from "./harness-time.ts";

/** The most bytes of one file. */
export const segmentBytesMax = 16 << 20;

type Untimed<E> = E extends unknown ? Omit<E, "atMs"> : never;

/** An event that happens now. */
export type EventNow = Untimed<HistoryEvent> | Tally;

/** How often something happened that needs no event of its own, since the life began. */
export interface Tally {
  readonly type: "tally";
  readonly counts: Readonly<Record<string, number>>;
}

/** A line of a file. */
export type LoggedEvent = HistoryEvent | (Tally & { readonly atMs: number });

/** `<node>.<life>.<segment>.ndjson`: node names here have no dots. */
export function segmentName(node: string, life: number, segment: number): string {
  return `${node}.${life}.${segment}.ndjson`;
}

export class EventLog {
  readonly now: HarnessTime;
  readonly #fileOf: (segment: number) => string;
  #segment = 0;
  #bytes = 0;
  #file: number;

  constructor(options: {
    readonly folder: string;
    readonly node: string;
    /** Counts the lives of the node in this run, from 1. */
    readonly life: number;
    readonly now: HarnessTime;
  }) {
    const { folder, node, life, now } = options;
    mkdirSync(folder, { recursive: true });
    this.now = now;
    this.#fileOf = (segment) => join(folder, segmentName(node, life, segment));
    this.#file = openSync(this.#fileOf(0), "a");
  }

  record(event: EventNow): void {
    this.recordAt(this.now(), event);
  }

  /** Of an event that began a while ago. */
  recordAt(whenMs: number, event: EventNow): void {
    const atMs = Math.round(whenMs * 1e3) / 1e3;
    this.#bytes += writeSync(this.#file, `${JSON.stringify({ ...event, atMs })}\n`);
    if (this.#bytes < segmentBytesMax) return;
    const next = openSync(this.#fileOf(this.#segment + 1), "a");
    closeSync(this.#file);
    this.#file = next;
    this.#segment += 1;
    this.#bytes = 0;
  }
}
