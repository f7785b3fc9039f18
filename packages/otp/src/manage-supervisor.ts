/**
 * Managing a running supervisor of this node: looking at its children, adding, stopping, restarting, removing one (C7).
 *
 * Requests wait while the supervisor starts or stops children, without a limit, as in OTP. On a supervisor that has ended
 * they throw a `CallError` with `noproc`, on one for which 10_000 messages wait (its mailbox's capacity) one with `overloaded`.
 *
 * @module
 */
import type { Kernel, Pid } from "@coppice/kernel";
import { checkChildSpec, type ChildSpec } from "./child-spec.ts";
import { manage } from "./management-request.ts";
import type { ChildCounts, ChildResult, ChildRow } from "./supervisor-calls.ts";

/** A supervisor, by its pid or its name. */
export class SupervisorRef {
  readonly #kernel: Kernel;
  readonly #supervisor: Pid | string;

  constructor(kernel: Kernel, supervisor: Pid | string) {
    this.#kernel = kernel;
    this.#supervisor = supervisor;
  }

  /** In start order. */
  whichChildren(): Promise<readonly ChildRow[]> {
    return this.#call("whichChildren") as Promise<readonly ChildRow[]>;
  }

  countChildren(): Promise<ChildCounts> {
    return this.#call("countChildren") as Promise<ChildCounts>;
  }

  childSpec(id: string): Promise<ChildSpec | undefined> {
    return this.#call("childSpec", id) as Promise<ChildSpec | undefined>;
  }

  /**
   * Adds a child and starts it. It is not there any more after the supervisor itself was restarted (C8.4).
   *
   * @throws {ChildSpecError} if the specification cannot be used.
   * @throws {CallError} with `bad_argument` if the child is significant and the supervisor's `autoShutdown` is `never`.
   */
  async startChild(spec: ChildSpec): Promise<ChildResult> {
    checkChildSpec(spec, true); // Here as well as there: a wrong one must not crash the supervisor.
    return (await this.#call("startChild", spec)) as ChildResult;
  }

  /** Stops a child and keeps its specification; a temporary one is forgotten. */
  terminateChild(id: string): Promise<ChildResult> {
    return this.#call("terminateChild", id) as Promise<ChildResult>;
  }

  /** Starts a child that is stopped. */
  restartChild(id: string): Promise<ChildResult> {
    return this.#call("restartChild", id) as Promise<ChildResult>;
  }

  /** Forgets a child that is stopped. */
  deleteChild(id: string): Promise<ChildResult> {
    return this.#call("deleteChild", id) as Promise<ChildResult>;
  }

  /**
   * Stops the children, the last first, and ends the supervisor with `normal` (C8.3). Resolves when it has ended. A permanent
   * one that has a supervisor itself is started again.
   */
  async stop(): Promise<void> {
    await this.#call("stop");
  }

  #call(method: string, about?: unknown): Promise<unknown> {
    return manage(this.#kernel, this.#supervisor, method, about);
  }
}
