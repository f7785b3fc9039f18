/**
 * A supervisor's side of the management requests: what its children are, and starting, stopping or forgetting one (C7).
 *
 * `manage-supervisor.ts` is the other side.
 *
 * @module
 */
import {
  type CallFailure,
  type ExitReason,
  type Incoming,
  normal,
  type Pid,
  type Self,
} from "@coppice/kernel";
import type { Child } from "./child.ts";
import { checkChildSpec, type ChildSpec, ChildSpecError } from "./child-spec.ts";
import { ManagementRequest } from "./management-request.ts";
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

/** How many children there are: all, those that run, and both kinds whether they run or not. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** The outcome of a request about one child; failing is a value, as in OTP. `pid` is missing if it chose not to run. */
export type ChildResult =
  | { readonly ok: true; readonly pid?: Pid | undefined }
  | {
      readonly ok: false;
      readonly error: "not_found" | "running" | "restarting" | "already_present";
    }
  | { readonly ok: false; readonly error: "already_started"; readonly pid: Pid }
  | { readonly ok: false; readonly error: "failed"; readonly reason: ExitReason };

type Call = Incoming & { readonly type: "call" };

/** What may be asked from everywhere: it changes nothing. */
const questions: ReadonlySet<string> = new Set(["whichChildren", "countChildren"]);

/** The request's subject. Undefined with a reply made: this caller may not ask. */
export function permitted(message: Call): { readonly about: unknown } | undefined {
  const [request] = message.args;
  if (request instanceof ManagementRequest) return request;
  if (questions.has(message.method)) return { about: undefined };
  const text = `${message.method} is for the supervisor's own node: use SupervisorRef there`;
  message.reply({ ok: false, failure: { code: "denied", executed: "no", message: text } });
  return undefined;
}

/** Answers one request. */
export async function answer(
  supervisor: SupervisorProcess,
  message: Call,
  self: Self,
): Promise<void> {
  const act = actions.get(message.method);
  if (act === undefined)
    return message.reply({
      ok: false,
      failure: unknownFunction(message.method, [...actions.keys()]),
    });
  const request = permitted(message);
  if (request === undefined) return;
  try {
    message.reply({ ok: true, value: await act(supervisor, request.about, self) });
    if (message.method === "stop") self.exit(normal); // Before who asked goes on: the answer is on its way.
  } catch (thrown) {
    if (!(thrown instanceof ChildSpecError)) throw thrown;
    const failure = { code: "bad_argument", executed: "no", message: thrown.message } as const;
    message.reply({ ok: false, failure });
  }
}

type Action = (supervisor: SupervisorProcess, about: unknown, self: Self) => unknown;

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ["whichChildren", ({ children }) => Array.from(children, row)],
  ["countChildren", ({ children }) => countChildren([...children])],
  ["childSpec", ({ children }, id) => children.withId(id)?.spec],
  ["startChild", (supervisor, spec, self) => startChild(supervisor, spec as ChildSpec, self)],
  ["terminateChild", aboutChild(terminateChild)],
  ["restartChild", aboutChild(restartChild)],
  ["deleteChild", aboutChild(deleteChild)],
  ["stop", (supervisor, _, self) => supervisor.stopAll(self)],
]);

function aboutChild(
  act: (supervisor: SupervisorProcess, child: Child, self: Self) => Promise<ChildResult>,
): Action {
  return async (supervisor, id, self): Promise<ChildResult> => {
    const child = supervisor.children.withId(id);
    return child === undefined ? { ok: false, error: "not_found" } : act(supervisor, child, self);
  };
}

/** A spec whose start fails is not kept. */
async function startChild(
  supervisor: SupervisorProcess,
  spec: ChildSpec,
  self: Self,
): Promise<ChildResult> {
  checkChildSpec(spec, supervisor.maySignify);
  const present = supervisor.children.withId(spec.id);
  if (present?.state === "restarting") return { ok: false, error: "restarting" };
  if (present?.pid !== undefined) return { ok: false, error: "already_started", pid: present.pid };
  if (present !== undefined) return { ok: false, error: "already_present" };
  const child = supervisor.children.add(spec);
  const reason = await supervisor.startChild(child, self);
  if (reason === undefined) return { ok: true, pid: child.pid };
  supervisor.children.drop(child);
  return { ok: false, error: "failed", reason };
}

async function terminateChild(
  supervisor: SupervisorProcess,
  child: Child,
  self: Self,
): Promise<ChildResult> {
  await supervisor.stopChild(child, self);
  if (child.spec.restart === "temporary") supervisor.children.drop(child);
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
  supervisor.children.drop(child);
  return { ok: true };
}

/** What is told of a child. */
export function row({ spec, pid, state, restarts }: Child): ChildRow {
  return { id: spec.id, name: spec.name, pid, state, type: spec.type ?? "worker", restarts };
}

/** What is told of all. */
export function countChildren(children: readonly Child[]): ChildCounts {
  const supervisors = children.filter(({ spec }) => spec.type === "supervisor").length;
  return {
    specs: children.length,
    active: children.filter(({ pid }) => pid !== undefined).length,
    supervisors,
    workers: children.length - supervisors,
  };
}

/** The answer to a request there is not. */
export function unknownFunction(name: string, known: readonly string[]): CallFailure {
  const message = `a supervisor has no function ${name}; it has ${known.join(", ")}`;
  return { code: "unknown_function", executed: "no", message };
}
