/**
 * Histories of who acted for a name, and the check that no process acted after another had taken its place.
 *
 * @module
 */

/** One time a process acted for the name. */
export interface Act {
  readonly atMs: number;
  /** The printed pid. */
  readonly pid: string;
}

/** A process that acted again after a later one had begun to act. */
export interface StaleAct {
  readonly stale: Act;
  readonly successor: Act;
}

/** The first breach, in order of time; nothing if there is none. */
export function findStaleAct(history: readonly Act[]): StaleAct | undefined {
  const replaced = new Map<string, Act>();
  let current: Act | undefined;
  for (const act of history.toSorted((a, b) => a.atMs - b.atMs)) {
    const successor = replaced.get(act.pid);
    if (successor !== undefined) return { stale: act, successor };
    if (current !== undefined && current.pid !== act.pid) replaced.set(current.pid, act);
    current = act;
  }
  return undefined;
}
