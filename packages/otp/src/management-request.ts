/**
 * Requests that manage a supervisor: they are made on its own node, by reference.
 *
 * What comes from another node, or from a client outside, is a copy and never one of these: nobody can stop the children of a
 * supervisor by calling its name.
 *
 * @module
 */
import { type Kernel, type Pid, timerMsMax } from "@coppice/kernel";

/** How supervisors are spawned: many requests may wait while children start, and a refused one is a child that is missing. */
export const supervisorOptions = { kind: "supervisor", mailboxCapacity: 1_000_000 } as const;

export class ManagementRequest {
  readonly about: unknown;
  constructor(about: unknown) {
    this.about = about;
  }
}

/** Asks a supervisor of this node, and waits as long as it takes, as OTP does. */
export function manage(
  kernel: Kernel,
  supervisor: Pid | string,
  method: string,
  about?: unknown,
): Promise<unknown> {
  return kernel.call(supervisor, method, [new ManagementRequest(about)], {
    local: true,
    timeoutMs: timerMsMax,
  });
}
