/**
 * A supervisor's management requests: what its children are, and starting, stopping or forgetting one (C7).
 *
 * @module
 */
import type { CallFailure, ExitReason, Incoming, Pid, Self } from "@coppice/kernel";
import { stopChild, type Child } from "./child.ts";
import type { SupervisorProcess } from "./supervisor.ts";

/** One row of `whichChildren`, in start order. */
export interface ChildRow {
  readonly id: string;
  readonly name: string | undefined;
  readonly pid: Pid | undefined;
  readonly state: "running" | "stopped" | "restarting";
  readonly type: "worker" | "supervisor";
  readonly restarts: number;
}

/** The outcome of a request about one child; failing is a value, as in OTP. */
export type ChildResult =
  | { readonly ok: true; readonly pid?: Pid | undefined }
  | { readonly ok: false; readonly error: "not_found" | "running" | "restarting" }
  | { readonly ok: false; readonly error: "failed"; readonly reason: ExitReason };

type Call = Incoming & { readonly type: "call" };

/** Answers one request. */
export async function answer(
  supervisor: SupervisorProcess,
  message: Call,
  self: Self,
): Promise<void> {
  if (message.method === "whichChildren")
    return message.reply({ ok: true, value: supervisor.children.map(row) });
  const id = message.args[0];
  const child = supervisor.children.find(({ spec }) => spec.id === id);
  const act = actions.get(message.method);
  if (act === undefined)
    return message.reply({ ok: false, failure: unknownFunction(message.method) });
  const value: ChildResult =
    child === undefined ? { ok: false, error: "not_found" } : await act(supervisor, child, self);
  message.reply({ ok: true, value });
}

type Action = (supervisor: SupervisorProcess, child: Child, self: Self) => Promise<ChildResult>;

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ["terminateChild", terminateChild],
  ["restartChild", restartChild],
  ["deleteChild", deleteChild],
]);

async function terminateChild(
  supervisor: SupervisorProcess,
  child: Child,
  self: Self,
): Promise<ChildResult> {
  await stopChild(child, supervisor.environment.kernel, self.pid);
  if (child.spec.restart === "temporary") supervisor.drop(child);
  return { ok: true };
}

async function restartChild(
  supervisor: SupervisorProcess,
  child: Child,
  self: Self,
): Promise<ChildResult> {
  if (child.state !== "stopped") return { ok: false, error: child.state };
  const reason = await supervisor.startChild(child, self);
  if (reason !== undefined) return { ok: false, error: "failed", reason };
  return { ok: true, pid: child.pid };
}

async function deleteChild(supervisor: SupervisorProcess, child: Child): Promise<ChildResult> {
  if (child.state !== "stopped") return { ok: false, error: child.state };
  supervisor.drop(child);
  return { ok: true };
}

function row({ spec, pid, state, restarts }: Child): ChildRow {
  return { id: spec.id, name: spec.name, pid, state, type: spec.type ?? "worker", restarts };
}

function unknownFunction(name: string): CallFailure {
  const has = `whichChildren, ${[...actions.keys()].join(", ")}`;
  const message = `a supervisor has no function ${name}; it has ${has}`;
  return { code: "unknown_function", executed: "no", message };
}
