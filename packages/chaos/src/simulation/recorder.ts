/**
 * Writes the history of a simulated run down, with true times, and knows what lived on which node.
 *
 * @module
 */
import type { ClusterEvent } from "@coppice/testkit";
import type { LogFields } from "@coppice/kernel";
import type { HistoryEvent, Violation } from "../history.ts";

/** What a process throws that was told to crash. */
export const crashMessage = "told to crash";

/** An event whose time is now. */
type Untimed<E> = E extends HistoryEvent ? Omit<E, "atMs"> : never;

interface Living {
  readonly supervisor?: string;
  readonly child?: string;
}

export class Recorder {
  readonly history: HistoryEvent[] = [];
  /** Every write to names and sessions. */
  readonly registry: ClusterEvent[] = [];
  /** When the body of a call that takes a while was done, by call. */
  readonly finished = new Map<string, number>();
  /** When a process was unregistered, or began to be, by printed pid. */
  readonly unregistered = new Map<string, number>();
  /** States that a good batch of runs reaches, and how often this one did. */
  readonly sometimes = new Map<string, number>();
  /** Ends of named processes that a supervisor took for crashes. */
  readonly strangeEnds: Violation[] = [];
  readonly #now: () => number;
  readonly #named: ReadonlySet<string>;
  /** By node, then by printed pid. */
  readonly #living = new Map<string, Map<string, Living>>();

  /** `named`: the processes that are unique in the cluster. */
  constructor(now: () => number, named: readonly string[]) {
    this.#now = now;
    this.#named = new Set(named);
  }

  record(event: Untimed<HistoryEvent>): void {
    this.history.push(Object.assign(event, { atMs: this.#now() }) as HistoryEvent);
  }

  /** An event that knows its time. */
  keep(event: HistoryEvent): void {
    this.history.push(event);
  }

  /** The body of a call is done; its answer is about to be sent. */
  finish(id: string): void {
    this.finished.set(id, this.#now());
  }

  /** A process is being unregistered. */
  unregister(pid: string): void {
    this.unregistered.set(pid, this.#now());
  }

  /** It turned out to have no name. */
  wasNotRegistered(pid: string): void {
    this.unregistered.delete(pid);
  }

  /**
   * A supervisor counts the end of a child. Of a named one that is a crash of its own code, or the loss of a node on which
   * something is linked to it (S2).
   */
  noteChildEnd({ child, reason }: LogFields): void {
    const because = JSON.stringify(reason);
    const isOwn = because.includes(crashMessage) || because.includes("noconnection");
    if (!this.#named.has(String(child)) || isOwn) return;
    const at = `at ${this.#now().toFixed(1)} ms`;
    const message = `${at} a supervisor counted an end of ${String(child)} that was no crash: ${because}`;
    this.strangeEnds.push({ promise: "S2", message, events: [] });
  }

  reached(state: string): void {
    this.sometimes.set(state, (this.sometimes.get(state) ?? 0) + 1);
  }

  started(node: string, pid: string, more: Living = {}): void {
    const living = this.#living.get(node) ?? new Map<string, Living>();
    this.#living.set(node, living.set(pid, more));
    this.record({ type: "start", node, pid, ...more });
  }

  ended(node: string, pid: string): void {
    const living = this.#living.get(node);
    const more = living?.get(pid);
    if (more === undefined) return; // It ended with its node.
    living!.delete(pid);
    this.record({ type: "end", node, pid, ...more });
  }

  /** Everything on a node ended at once. */
  nodeEnded(node: string): void {
    for (const pid of this.#living.get(node)?.keys() ?? []) this.ended(node, pid);
  }
}
