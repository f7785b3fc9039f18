/**
 * One child of a supervisor: its record, how it is started, and how it is stopped (C3.5).
 *
 * @module
 */
import {
  errorData,
  ExitError,
  type ExitReason,
  type Kernel,
  kill,
  Pid,
  samePid,
  type Self,
  shutdown,
} from "@coppice/kernel";
import {
  type ChildEnvironment,
  type ChildSpec,
  shutdownMsDefault,
  startChildProcess,
} from "./child-spec.ts";

/** What a supervisor knows of a child. Only the supervisors' own files change it. */
export interface Child {
  readonly spec: ChildSpec;
  state: "running" | "stopped" | "restarting";
  pid?: Pid | undefined;
  restarts: number;
}

/** How a start ended, as the supervisor sees it: everything that is no process is `ignored` or `failed` (C2.3). */
export type ChildStart =
  | { readonly type: "started"; readonly pid: Pid }
  | { readonly type: "ignored" }
  | { readonly type: "failed"; readonly reason: ExitReason };

/** Starts a child that does not run, linked to its supervisor, and notes the outcome. Never throws. */
export async function startChild(
  child: Child,
  environment: ChildEnvironment,
  self: Self,
): Promise<ChildStart> {
  const options = { link: self.pid, restarts: child.restarts };
  let result: ChildStart;
  try {
    result = checked(await startChildProcess(child.spec, options, environment), self);
  } catch (thrown) {
    result = { type: "failed", reason: reasonOf(thrown) };
  }
  child.state = result.type === "started" ? "running" : "stopped";
  child.pid = result.type === "started" ? result.pid : undefined;
  return result;
}

/** What a start function returned may be anything: only another process is a child. */
function checked(returned: unknown, self: Self): ChildStart {
  const { type, pid, reason } = (returned ?? {}) as Partial<Record<string, unknown>>;
  if (type === "ignored") return { type };
  if (type === "failed" && isReason(reason)) return { type, reason };
  if (type === "started" && pid instanceof Pid && !samePid(pid, self.pid)) {
    // Without a link its end would not be noticed. Of one that has ended already, an exit signal arrives: it started, and
    // crashed, and whether it is restarted is decided as of any other.
    self.link(pid);
    return { type, pid };
  }
  const value = { bad_return_value: errorData(returned).message };
  return { type: "failed", reason: { type: "exit", value } };
}

function isReason(reason: unknown): reason is ExitReason {
  return typeof (reason as Partial<ExitReason> | null | undefined)?.type === "string";
}

function reasonOf(thrown: unknown): ExitReason {
  return thrown instanceof ExitError ? thrown.reason : { type: "error", error: errorData(thrown) };
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
  child.state = "stopped";
  if (pid === undefined) return undefined;
  const { promise, resolve } = Promise.withResolvers<ExitReason>();
  kernel.monitor(pid, resolve); // Before all else: a child that unlinked itself is still noticed.
  kernel.unlink(supervisor, pid); // Its end is expected: no exit signal of it shall arrive.
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
  return isExpected(reason, spec, shutdownMs) ? undefined : reason;
}

function isExpected(reason: ExitReason, spec: ChildSpec, shutdownMs: number): boolean {
  switch (reason.type) {
    case "shutdown":
    case "noproc":
      return true;
    case "killed":
      return shutdownMs === 0;
    case "normal":
      return spec.restart !== undefined && spec.restart !== "permanent";
    default:
      return false;
  }
}
