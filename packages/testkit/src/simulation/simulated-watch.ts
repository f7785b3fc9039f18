/**
 * A watch of the simulated store by one machine: every change, in order, late, and later still while it is not reachable.
 *
 * @module
 */
import type { Change, Entry } from "@coppice/net";
import type { SimulatedTime } from "./simulated-time.ts";

/** How often it is looked whether a machine that is cut off can be reached, in milliseconds. */
const lookEveryMs = 50;

export class SimulatedWatch {
  readonly #time: SimulatedTime;
  readonly #onChange: (change: Change) => void;
  readonly #isReachable: () => boolean;
  readonly #send: (run: () => void) => void;
  readonly #queue: { readonly atMs: number; readonly change: Change }[] = [];
  /** What arrived before the entries that were there at first. */
  #early: Change[] | undefined = [];
  #isPlanned = false;
  #isWanted = true;

  constructor(options: {
    readonly time: SimulatedTime;
    readonly onChange: (change: Change) => void;
    readonly isReachable: () => boolean;
    /** Runs it at the machine. */
    readonly send: (run: () => void) => void;
  }) {
    this.#time = options.time;
    this.#onChange = options.onChange;
    this.#isReachable = options.isReachable;
    this.#send = options.send;
  }

  /** The store has changed; the machine hears it after so long. */
  changed(change: Change, afterMs: number): void {
    const atMs = Math.max(this.#queue.at(-1)?.atMs ?? 0, this.#time.nowMs + afterMs);
    this.#queue.push({ atMs, change });
    this.#plan(this.#queue[0]!.atMs);
  }

  /** The machine has got what was there at first. */
  begin(entries: readonly Entry[]): void {
    for (const entry of entries) this.#onChange({ type: "put", ...entry });
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const change of early) this.#onChange(change);
  }

  stop(): void {
    this.#isWanted = false;
    this.#queue.length = 0;
  }

  #plan(atMs: number): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#time.at(atMs, () => {
      this.#isPlanned = false;
      this.#hand();
    });
  }

  #hand(): void {
    const { nowMs } = this.#time;
    if (this.#queue.length > 0 && !this.#isReachable()) return this.#plan(nowMs + lookEveryMs);
    while (this.#queue.length > 0 && this.#queue[0]!.atMs <= nowMs) {
      const { change } = this.#queue.shift()!;
      this.#send(() => this.#arrived(change));
    }
    if (this.#queue.length > 0) this.#plan(this.#queue[0]!.atMs);
  }

  #arrived(change: Change): void {
    if (!this.#isWanted) return;
    if (this.#early === undefined) this.#onChange(change);
    else this.#early.push(change);
  }
}
