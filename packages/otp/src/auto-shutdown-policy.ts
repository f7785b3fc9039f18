/**
 * Whether a supervisor ends because a significant child did: a pure decision (C9).
 *
 * @module
 */

/** When the end of significant children ends their supervisor. */
export type AutoShutdown = "never" | "any_significant" | "all_significant";

/**
 * Asked when a child ended by itself and is not started again. `othersActive`: whether another significant child runs.
 */
export function endsSupervisor(
  autoShutdown: AutoShutdown,
  significant: boolean,
  othersActive: boolean,
): boolean {
  if (!significant || autoShutdown === "never") return false;
  return autoShutdown === "any_significant" || !othersActive;
}
