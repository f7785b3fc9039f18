/**
 * What the end of an application means for the others: a pure decision.
 *
 * Source: OTP's restart types of applications. An application is never started again: its supervisors did that, and
 * gave up.
 *
 * @module
 */
import type { ExitReason } from "@coppice/kernel";

/**
 * `permanent`: its end ends all applications. `transient`: its end ends all, unless its reason is `normal`; `shutdown`, which
 * a supervisor that gives up ends with, is not. `temporary`: its end is reported.
 */
export type ApplicationRestart = "permanent" | "transient" | "temporary";

/** Whether all applications end because one ended by itself. */
export function haltsAll(restart: ApplicationRestart, reason: ExitReason): boolean {
  return restart === "permanent" || (restart === "transient" && reason.type !== "normal");
}
