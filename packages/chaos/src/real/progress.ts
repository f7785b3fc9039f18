/**
 * The lines of a run: one for each fault, and regularly how far it is.
 *
 * @module
 */
import type { PlannedFault } from "./schedule-policy.ts";
import type { Totals } from "./totals.ts";

const everyMs = 10_000;

export class Progress {
  readonly #say: (line: string) => void;
  readonly #elapsedMs: () => number;
  readonly #totals: Totals;
  readonly #violations: () => number;
  #timer: NodeJS.Timeout | undefined;
  #faults = 0;

  constructor(options: {
    readonly say: (line: string) => void;
    readonly elapsedMs: () => number;
    readonly totals: Totals;
    readonly violations: () => number;
  }) {
    this.#say = options.say;
    this.#elapsedMs = options.elapsedMs;
    this.#totals = options.totals;
    this.#violations = options.violations;
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
    const verdict = this.#violations() === 0 ? "no violation" : `${this.#violations()} VIOLATIONS`;
    this.line(`${this.#faults} faults, ${counts}: ${verdict}`);
  }
}
