/**
 * The lines of a run: one for each fault, and regularly how far it is.
 *
 * @module
 */
import type { PlannedFault } from "./schedule-policy.ts";
import type { Totals } from "./totals.ts";
import type { Verdicts } from "./verdicts.ts";

const everyMs = 10_000;

export class Progress {
  readonly #say: (line: string) => void;
  readonly #elapsedMs: () => number;
  readonly #totals: Totals;
  readonly #verdicts: Verdicts;
  #timer: NodeJS.Timeout | undefined;
  #faults = 0;

  constructor(options: {
    readonly say: (line: string) => void;
    readonly elapsedMs: () => number;
    readonly totals: Totals;
    readonly verdicts: Verdicts;
  }) {
    this.#say = options.say;
    this.#elapsedMs = options.elapsedMs;
    this.#totals = options.totals;
    this.#verdicts = options.verdicts;
  }

  start(): void {
    this.#timer = setInterval(() => this.#report(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  line(text: string): void {
    const seconds = (this.#elapsedMs() / 1_000).toFixed(1).padStart(7);
    this.#say(`${seconds} s  ${text}`);
  }

  fault({ number, kind, lengthMs }: PlannedFault, targets: readonly string[]): void {
    this.#faults = number;
    this.line(`fault ${number}: ${kind} on ${targets.join(", ")} for ${lengthMs} ms`);
  }

  #report(): void {
    const { calls, executions, deliveries, events } = this.#totals;
    const perSecond = Math.round(events / (this.#elapsedMs() / 1_000));
    const counts = `${calls} calls, ${executions} executions, ${deliveries} deliveries, ${perSecond} events/s`;
    const broken = [...this.#verdicts.counts].map(([promise, count]) => `${promise} ${count}`);
    const verdict = broken.length === 0 ? "no violation" : `VIOLATIONS: ${broken.join(", ")}`;
    this.line(`${this.#faults} faults, ${counts}: ${verdict}`);
  }
}
