/**
 * How long names were not served after a fault hit their owner.
 *
 * @module
 */
import type { FaultEvent, HistoryEvent } from "../history.ts";
import { stallKind } from "./stall-watch.ts";

/** What is known of one name. */
interface Served {
  readonly node: string;
  readonly pid: string;
  readonly atMs: number;
}

/** A name whose owner was hit, until it runs somewhere else. */
interface Waiting {
  readonly fault: FaultEvent;
  readonly pid: string;
}

/** Takes the stream of events: a fault comes before what happened after it began. */
export class RecoveryMeter {
  readonly #served = new Map<string, Served>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #tookMs = new Map<string, number[]>();
  readonly #longest = { name: "", ms: 0 };

  take(event: HistoryEvent): void {
    if (event.type === "fault" && event.kind !== stallKind) this.#hit(event);
    else if (event.type === "execution") this.#ran(event);
  }

  /** When each name last ran. */
  lastServedMs(name: string): number | undefined {
    return this.#served.get(name)?.atMs;
  }

  /** The longest time between two executions for one name. */
  get longestSilence(): { readonly name: string; readonly ms: number } {
    return this.#longest;
  }

  /** By kind of fault: each time a name needed to run in another process. */
  get times(): ReadonlyMap<string, readonly number[]> {
    return this.#tookMs;
  }

  #hit(fault: FaultEvent): void {
    for (const [name, { node, pid }] of this.#served)
      if (fault.targets.includes(node)) this.#waiting.set(name, { fault, pid });
  }

  #ran({ name, node, pid, atMs }: HistoryEvent & { readonly type: "execution" }): void {
    const before = this.#served.get(name)?.atMs ?? atMs;
    if (atMs - before > this.#longest.ms) Object.assign(this.#longest, { name, ms: atMs - before });
    this.#served.set(name, { node, pid, atMs });
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    const { fault } = waiting;
    if (waiting.pid === pid) {
      if (atMs > fault.untilMs) this.#waiting.delete(name); // Nobody had to take it over.
      return;
    }
    this.#waiting.delete(name);
    const took = this.#tookMs.get(fault.kind) ?? [];
    took.push(atMs - Math.max(fault.atMs, before)); // A node that is drained runs calls on after the fault began.
    this.#tookMs.set(fault.kind, took);
  }
}
