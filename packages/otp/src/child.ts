/**
 * One child of a supervisor: its record, and how it is stopped (C3.5).
 *
 * @module
 */
import { type ExitReason, type Kernel, kill, type Pid, shutdown } from "@coppice/kernel";
import { type ChildSpec, shutdownMsDefault } from "./child-spec.ts";

/** What a supervisor knows of a child. Only `supervisor.ts` and `supervisor-calls.ts` change it. */
export interface Child {
  readonly spec: ChildSpec;
  state: "running" | "stopped" | "restarting";
  pid?: Pid | undefined;
  restarts: number;
}

/** How long this child may take to stop, in milliseconds. */
export function shutdownMsOf(spec: ChildSpec): number {
  return spec.shutdownMs ?? (spec.type === "supervisor" ? Infinity : shutdownMsDefault);
}

/** Stops a child: asks, waits for its time, then kills. Returns the reason it ended with if that was not expected. */
export async function stopChild(
  child: Child,
  kernel: Kernel,
  supervisor: Pid,
): Promise<ExitReason | undefined> {
  const { pid, spec } = child;
  child.pid = undefined;
  child.state = "stopped";
  if (pid === undefined) return undefined;
  const { promise, resolve } = Promise.withResolvers<ExitReason>();
  kernel.monitor(pid, resolve);
  const shutdownMs = shutdownMsOf(spec);
  let cancel: (() => void) | undefined;
  if (shutdownMs === 0) {
    kernel.exit(pid, kill, supervisor);
  } else {
    kernel.exit(pid, shutdown, supervisor);
    if (shutdownMs !== Infinity)
      cancel = kernel.clock.after(shutdownMs, () => kernel.exit(pid, kill, supervisor));
  }
  const reason = await promise;
  cancel?.();
  const expected =
    reason.type === "shutdown" ||
    reason.type === "noproc" ||
    (reason.type === "killed" && shutdownMs === 0) ||
    (reason.type === "normal" && spec.restart !== undefined && spec.restart !== "permanent");
  return expected ? undefined : reason;
}
