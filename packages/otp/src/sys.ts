/**
 * Looking into a running gen-server, and changing it: OTP's `sys` (B4.7). For people who find out what is wrong, and for
 * upgrades; not for the program's own work.
 *
 * All take the server's pid or local name, wait at most 5 s unless said otherwise, and throw a `CallError` as a call does. The
 * server must be on this node.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import {
  CallError,
  describeReason,
  type ExitReason,
  type Kernel,
  normal,
  type Pid,
  samePid,
} from "@coppice/kernel";
import type { GenServer } from "./gen-server.ts";
import { StopRequest } from "./internal-messages.ts";
import { SystemEnvelope, systemMethod, type SystemRequest } from "./system-calls.ts";

/** What {@link getStatus} tells. */
export interface ServerStatus {
  readonly status: "running" | "suspended";
  /** The name of its class. */
  readonly server: string;
  /** As `formatStatus` shows it. */
  readonly state: unknown;
}

/** How long to wait. */
export interface SystemOptions {
  readonly timeoutMs?: number;
}

/** The state: what `save` returns, or the public fields. */
export function getState(
  kernel: Kernel,
  server: Pid | string,
  options: SystemOptions = {},
): Promise<unknown> {
  return ask(kernel, server, { type: "get_state" }, options);
}

/** Replaces the state by what `change` makes of it. A throw of `change` leaves it as it is, and rejects. */
export function replaceState(
  kernel: Kernel,
  server: Pid | string,
  change: (state: object) => object,
  options: SystemOptions = {},
): Promise<unknown> {
  return ask(kernel, server, { type: "replace_state", change }, options);
}

/** Whether it is suspended, and what its state is, as its own `formatStatus` shows it. */
export function getStatus(
  kernel: Kernel,
  server: Pid | string,
  options: SystemOptions = {},
): Promise<ServerStatus> {
  return ask(kernel, server, { type: "get_status" }, options) as Promise<ServerStatus>;
}

/** From now on messages wait, until {@link resume}. System requests and the parent's exit are still answered. */
export async function suspend(
  kernel: Kernel,
  server: Pid | string,
  options: SystemOptions = {},
): Promise<void> {
  await ask(kernel, server, { type: "suspend" }, options);
}

/** Lets a suspended server go on with the messages that have waited. */
export async function resume(
  kernel: Kernel,
  server: Pid | string,
  options: SystemOptions = {},
): Promise<void> {
  await ask(kernel, server, { type: "resume" }, options);
}

/**
 * Lets `to`, an instance of the new class, take over: the process, its name, mailbox, links and monitors stay. Its `codeChange`
 * gets the old version and state; without one, `load` or the public fields. When that throws, the old server goes on, and this
 * rejects. Suspend the server first, so that no message meets half of a change.
 */
export async function changeCode(
  kernel: Kernel,
  server: Pid | string,
  to: GenServer,
  options: SystemOptions & { readonly extra?: unknown } = {},
): Promise<void> {
  await ask(kernel, server, { type: "change_code", to, extra: options.extra }, options);
}

/**
 * Stops a server: `terminate` runs, and the promise resolves when it has ended with `reason` (B4.5).
 *
 * @throws {CallError} with `noproc` if there is none, `calling_self` if it is `from`, `timeout` after `timeoutMs` (default: no
 *   limit), and `exited` if it ended with another reason.
 */
export async function stopGenServer(
  kernel: Kernel,
  server: Pid | string,
  options: {
    readonly reason?: ExitReason;
    readonly timeoutMs?: number;
    readonly from?: Pid;
  } = {},
): Promise<void> {
  const { reason = normal, timeoutMs = Infinity, from } = options;
  const pid = typeof server === "string" ? kernel.whereis(server) : server;
  if (pid === undefined || !kernel.isAlive(pid))
    throw new CallError({ code: "noproc", executed: "no", message: `${server} does not run` });
  if (from !== undefined && samePid(from, pid))
    throw new CallError({
      code: "calling_self",
      executed: "no",
      message: `${server} cannot stop itself this way: use this.self.stop`,
    });
  const actual = await stopped(kernel, pid, reason, timeoutMs);
  if (actual === undefined) {
    const message = `${server} did not stop within ${timeoutMs} ms; it still may`;
    throw new CallError({ code: "timeout", executed: "maybe", message });
  }
  if (isDeepStrictEqual(actual, reason)) return;
  const message = `${server} ended otherwise: ${describeReason(actual)}`;
  throw new CallError({ code: "exited", executed: "maybe", message, reason: actual });
}

/** Asks the server to stop, and waits for its end. Undefined: it did not end in time. */
function stopped(
  kernel: Kernel,
  pid: Pid,
  reason: ExitReason,
  timeoutMs: number,
): Promise<ExitReason | undefined> {
  return new Promise((resolve) => {
    let cancel: (() => void) | undefined;
    const unwatch = kernel.monitor(pid, (actual) => {
      cancel?.();
      resolve(actual);
    });
    if (timeoutMs !== Infinity)
      cancel = kernel.clock.after(timeoutMs, () => {
        unwatch();
        resolve(undefined);
      });
    kernel.side.remind(pid, new StopRequest(reason), false);
  });
}

function ask(
  kernel: Kernel,
  server: Pid | string,
  request: SystemRequest,
  { timeoutMs }: SystemOptions,
): Promise<unknown> {
  return kernel.call(server, systemMethod, [new SystemEnvelope(request)], {
    local: true,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}
