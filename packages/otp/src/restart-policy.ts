/**
 * What a supervisor does when a child ends: a pure decision (C4, C5).
 *
 * @module
 */
import { type ExitReason, isNormalLike } from "@coppice/kernel";

/** When an ended child is started again: always, after an abnormal end, never. */
export type Restart = "permanent" | "transient" | "temporary";

/** Which children are restarted together. */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one";

/** `restart` it, `keep` its spec without a process, or `drop` it (C4.1). */
export type AfterExit = "restart" | "keep" | "drop";

export function afterExit(restart: Restart, reason: ExitReason): AfterExit {
  if (restart === "temporary") return "drop";
  if (restart === "transient" && isNormalLike(reason)) return "keep";
  return "restart";
}

/** The positions, in start order, of the children that are restarted because the one at `index` ended (C5). */
export function restartGroup(strategy: Strategy, count: number, index: number): readonly number[] {
  const first = strategy === "one_for_all" ? 0 : index;
  const end = strategy === "one_for_one" ? index + 1 : count;
  return Array.from({ length: end - first }, (_, offset) => first + offset);
}

/** Whether an end is reported: of a permanent child always, of the others when it is abnormal (C10). */
export function isReported(restart: Restart, reason: ExitReason): boolean {
  return restart === "permanent" || !isNormalLike(reason);
}
