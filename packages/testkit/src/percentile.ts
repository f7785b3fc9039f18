/**
 * The one definition of a percentile.
 *
 * @module
 */

/** The value that a share of the samples does not exceed (nearest rank); NaN if there are none. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(sorted.length * share));
  return sorted[rank - 1] ?? NaN;
}
