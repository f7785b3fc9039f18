/**
 * The monitors a node holds on processes of other nodes.
 *
 * @module
 */
import type { ExitReason } from "./exit-reason.ts";
import type { Pid } from "./pid.ts";
import type { Watcher } from "./process.ts";

/** Monitors by the reference their node chose. Each fires at most once (A4.1). */
export class RemoteMonitors {
  readonly #held = new Map<number, { readonly target: Pid; readonly watcher: Watcher }>();

  get size(): number {
    return this.#held.size;
  }

  add(id: number, target: Pid, watcher: Watcher): void {
    this.#held.set(id, { target, watcher });
  }

  /** Whether there was one to remove. */
  remove(id: number): boolean {
    return this.#held.delete(id);
  }

  /** `pid`: who was found, if the target was a name. */
  fire(id: number, reason: ExitReason, pid?: Pid): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    held.watcher(reason, pid ?? held.target);
  }

  /** Fires those whose target `isGone` accepts. */
  fireAll(isGone: (target: Pid) => boolean, reason: ExitReason): void {
    for (const [id, { target }] of this.#held) if (isGone(target)) this.fire(id, reason);
  }
}
