/**
 * The events of one life of a node, read from its files while it writes them.
 *
 * Of a life that ended without a word the reader says what its end means: open calls have lost their caller, monitors
 * their watcher, and its processes are gone.
 *
 * @module
 */
import { closeSync, existsSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { HistoryEvent, LifeEvent, MonitorEvent } from "../history.ts";
import { type LoggedEvent, segmentName } from "./event-log.ts";

/** The code of the outcome of a call whose caller's node ended first. */
export const callerEnded = "caller_ended";

const chunkBytes = 1 << 20;
/** The most bytes read at once, so that whoever reads stays responsive. */
const readBytesMax = 4 << 20;

export class LifeLog {
  readonly node: string;
  readonly life: number;
  readonly #folder: string;
  readonly #keep: boolean;
  readonly #openCalls = new Set<string>();
  readonly #openMonitors = new Map<string, MonitorEvent>();
  readonly #running = new Map<string, LifeEvent>();
  readonly #buffer = Buffer.allocUnsafe(chunkBytes);
  #segment = 0;
  #position = 0;
  #rest = "";
  /** As of its last line. */
  tally: Readonly<Record<string, number>> = {};
  /** Lines that could not be read: at most the last one of a life that was killed. */
  broken = 0;

  constructor(options: {
    readonly folder: string;
    readonly node: string;
    readonly life: number;
    /** Whether files that have been read are kept. */
    readonly keep: boolean;
  }) {
    this.#folder = options.folder;
    this.node = options.node;
    this.life = options.life;
    this.#keep = options.keep;
  }

  /** What was written since the last time; not all of it if that was much. */
  read(): HistoryEvent[] {
    const events: HistoryEvent[] = [];
    let bytes = 0;
    while (bytes < readBytesMax) {
      const chunk = this.#readChunk();
      if (chunk === undefined) break;
      bytes += chunk.length;
      this.#take(chunk, events);
    }
    return events;
  }

  /** All that is left of a life that has ended, and what its end means. */
  readToEnd(endedMs: number): HistoryEvent[] {
    const events: HistoryEvent[] = [];
    for (let more = this.read(); more.length > 0; more = this.read()) events.push(...more);
    if (this.#rest !== "") this.broken += 1;
    if (!this.#keep) rmSync(this.#pathOf(this.#segment), { force: true });
    const atMs = Math.max(endedMs, events.at(-1)?.atMs ?? 0);
    for (const id of this.#openCalls)
      events.push({ type: "outcome", atMs, id, outcome: "maybe", code: callerEnded });
    for (const { ref, watcher, target } of this.#openMonitors.values())
      events.push({ type: "demonitor", atMs, ref, watcher, target });
    for (const started of this.#running.values()) events.push({ ...started, type: "end", atMs });
    return events;
  }

  /** The next bytes; nothing if there are none now. */
  #readChunk(): string | undefined {
    const path = this.#pathOf(this.#segment);
    if (!existsSync(path)) return undefined;
    const hasNext = existsSync(this.#pathOf(this.#segment + 1)); // Asked first: then this one is complete.
    const file = openSync(path, "r");
    const count = readSync(file, this.#buffer, 0, chunkBytes, this.#position);
    closeSync(file);
    this.#position += count;
    if (count > 0) return this.#buffer.toString("latin1", 0, count);
    if (!hasNext) return undefined;
    if (!this.#keep) rmSync(path);
    this.#segment += 1;
    this.#position = 0;
    return this.#readChunk();
  }

  #pathOf(segment: number): string {
    return join(this.#folder, segmentName(this.node, this.life, segment));
  }

  #take(chunk: string, events: HistoryEvent[]): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) {
      const event = parse(line);
      if (event === undefined) this.broken += 1;
      else if (event.type === "tally") this.tally = event.counts;
      else {
        this.#follow(event);
        events.push(event);
      }
    }
  }

  #follow(event: HistoryEvent): void {
    switch (event.type) {
      case "call":
        this.#openCalls.add(event.id);
        break;
      case "outcome":
        this.#openCalls.delete(event.id);
        break;
      case "monitor":
        this.#openMonitors.set(event.ref, event);
        break;
      case "demonitor":
      case "down":
        this.#openMonitors.delete(event.ref);
        break;
      case "start":
        this.#running.set(event.pid, event);
        break;
      case "end":
        this.#running.delete(event.pid);
        break;
      default:
    }
  }
}

function parse(line: string): LoggedEvent | undefined {
  try {
    return JSON.parse(line) as LoggedEvent;
  } catch {
    return undefined; // Counted by the caller.
  }
}
