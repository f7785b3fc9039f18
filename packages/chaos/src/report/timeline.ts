/**
 * A run as a picture has it: who ran each name when, and how many calls succeeded and failed each second.
 *
 * @module
 */
import type { HistoryEvent } from "../history.ts";

/** One node ran a name from its first to its last execution there. */
export interface Tenure {
  readonly name: string;
  readonly node: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Times are milliseconds since the first event. */
export interface Timeline {
  readonly durationMs: number;
  readonly tenures: readonly Tenure[];
  /** One entry each second. */
  readonly answered: readonly number[];
  readonly failed: readonly number[];
  readonly faults: readonly {
    readonly kind: string;
    readonly targets: readonly string[];
    readonly fromMs: number;
    readonly untilMs: number;
  }[];
}

/** The most tenures that are kept: a name that flutters is not drawn to the end. */
export const tenuresMax = 50_000;

type MutableTenure = { -readonly [Key in keyof Tenure]: Tenure[Key] };

/** Takes the stream of events in the order of time. */
export class TimelineMeter {
  #fromMs: number | undefined;
  #untilMs = 0;
  readonly #tenures: MutableTenure[] = [];
  readonly #current = new Map<string, MutableTenure>();
  readonly #answered: number[] = [];
  readonly #failed: number[] = [];
  readonly #faults: Timeline["faults"][number][] = [];

  take(event: HistoryEvent): void {
    this.#fromMs ??= event.atMs;
    const atMs = Math.max(0, event.atMs - this.#fromMs);
    this.#untilMs = Math.max(this.#untilMs, atMs);
    if (event.type === "execution") this.#ran(event.name, event.node, atMs);
    else if (event.type === "outcome") {
      if (event.code === "cast" || event.code === "caller_ended") return;
      const counts = event.outcome === "answer" ? this.#answered : this.#failed;
      const second = Math.floor(atMs / 1_000);
      while (counts.length <= second) counts.push(0);
      counts[second]! += 1;
    } else if (event.type === "fault") {
      const untilMs = Math.max(atMs, event.untilMs - this.#fromMs);
      this.#faults.push({ kind: event.kind, targets: event.targets, fromMs: atMs, untilMs });
    }
  }

  result(): Timeline {
    return {
      durationMs: this.#untilMs,
      tenures: this.#tenures,
      answered: this.#answered,
      failed: this.#failed,
      faults: this.#faults,
    };
  }

  #ran(name: string, node: string, atMs: number): void {
    const current = this.#current.get(name);
    if (current?.node === node) {
      current.untilMs = atMs;
      return;
    }
    if (this.#tenures.length >= tenuresMax) return;
    const tenure = { name, node, fromMs: atMs, untilMs: atMs };
    this.#tenures.push(tenure);
    this.#current.set(name, tenure);
  }
}
