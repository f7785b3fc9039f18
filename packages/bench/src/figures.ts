/**
 * Samples and the figures made of them.
 *
 * @module
 */
import { percentile } from "@coppice/testkit";

/** One line of the result. */
export interface Figure {
  readonly what: string;
  readonly value: string;
  /** What we want, if we said so. */
  readonly aim?: string;
}

/** Milliseconds with as many digits as mean something. */
export function ms(value: number): string {
  return value >= 100 ? `${Math.round(value)} ms` : `${value.toFixed(value >= 10 ? 1 : 2)} ms`;
}

/** Median, 99th percentile and maximum. */
export function spread(samples: readonly number[]): string {
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  return `p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(Math.max(...samples))} (n ${samples.length})`;
}

/** Aligned lines: what, value, aim. */
export function figureTable(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ what }) => what.length));
  return figures
    .map(
      ({ what, value, aim }) =>
        `${what.padEnd(width)}  ${value}${aim === undefined ? "" : `  [aim: ${aim}]`}`,
    )
    .join("\n");
}
