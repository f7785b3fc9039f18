/**
 * The events of a suite: what the nodes write is read while they run, and all of it is checked at the end.
 *
 * @module
 */
import type { HistoryEvent, Violation } from "../history.ts";
import { LifeLog } from "../real/life-log.ts";
import { Totals } from "../real/totals.ts";
import { Verdicts } from "../real/verdicts.ts";

/** Who ran a name last. */
export interface Served {
  readonly node: string;
  readonly pid: string;
  readonly atMs: number;
}

export interface Judgement {
  readonly totals: Totals;
  readonly violations: readonly Violation[];
  /** Of each promise that was broken, how often. */
  readonly broken: ReadonlyMap<string, number>;
}

export class SuiteHistory {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #lives = new Map<string, LifeLog>();
  readonly #events: HistoryEvent[] = [];
  readonly #own: Violation[] = [];
  readonly #served = new Map<string, Served>();
  readonly #answeredMs = new Map<string, number>();
  readonly #revisions = new Map<string, number>();

  constructor(folder: string, now: () => number) {
    this.#folder = folder;
    this.#now = now;
  }

  began(node: string, life: number): void {
    const log = new LifeLog({ folder: this.#folder, node, life, keep: true });
    this.#lives.set(`${node}/${life}`, log);
  }

  ended(node: string, life: number): void {
    const log = this.#lives.get(`${node}/${life}`);
    this.#lives.delete(`${node}/${life}`);
    for (const event of log?.readToEnd(this.#now()) ?? []) this.add(event);
  }

  add(event: HistoryEvent): void {
    this.#events.push(event);
    const { atMs } = event;
    if (event.type === "execution") {
      const { name, node, pid } = event;
      if (atMs > (this.#served.get(name)?.atMs ?? 0)) this.#served.set(name, { node, pid, atMs });
    } else if (event.type === "outcome" && event.outcome === "answer") {
      this.#answeredMs.set(event.id.split("/")[0]!, atMs);
    } else if (event.type === "ownership") this.#revisions.set(event.name, event.revision);
  }

  /** What is not seen in any event. */
  violate(promise: string, message: string): void {
    this.#own.push({ promise, message, events: [] });
  }

  /** Reads what the nodes have written since. */
  poll(): void {
    for (const log of this.#lives.values()) for (const event of log.read()) this.add(event);
  }

  /** As of the last poll. */
  servedBy(name: string): Served | undefined {
    return this.#served.get(name);
  }

  /** When a call of a node was answered last, as of the last poll. */
  lastAnsweredMs(node: string): number | undefined {
    return this.#answeredMs.get(node);
  }

  /** The revision of the last write of each name that was seen. */
  registry(): ReadonlyMap<string, number> {
    return new Map(this.#revisions);
  }

  /** To be called once, when every life has ended. */
  judge(): Judgement {
    this.poll();
    const totals = new Totals();
    const verdicts = new Verdicts(() => {});
    for (const violation of this.#own) verdicts.violate(violation);
    for (const event of this.#events.toSorted((a, b) => a.atMs - b.atMs)) {
      totals.take(event);
      verdicts.take(event);
    }
    verdicts.finish();
    return { totals, violations: verdicts.violations, broken: verdicts.counts };
  }
}
