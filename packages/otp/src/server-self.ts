/**
 * A gen-server's view of itself: a process's, and what should follow the callback that runs.
 *
 * @module
 */
import {
  type ExitReason,
  type From,
  type IncomingCall,
  type Kernel,
  normal,
  type Pid,
  Self,
} from "@coppice/kernel";

/** What a callback asked for. The shell in `gen-server-process.ts` carries it out when the callback has returned. */
export interface AfterCallback {
  stop?: ExitReason | undefined;
  continueWith?: { readonly about: unknown } | undefined;
  idleMs?: number | undefined;
  ignore?: boolean | undefined;
  /** The call that runs, and whether it is answered later. */
  call?: IncomingCall | undefined;
  deferred?: boolean | undefined;
}

/** `this.self` in a gen-server. */
export class ServerSelf extends Self {
  readonly #after: AfterCallback;

  constructor(kernel: Kernel, pid: Pid, after: AfterCallback) {
    super(kernel, pid);
    this.#after = after;
  }

  /**
   * Stops the server when this callback has returned: `terminate` runs, then a call that runs is answered, then the process
   * exits (B2.4).
   */
  stop(reason: ExitReason = normal): void {
    this.#after.stop = reason;
  }

  /** Runs `handleContinue(about)` before any message, also before those that wait (B1.5). */
  continueWith(about: unknown): void {
    this.#after.continueWith = { about };
  }

  /**
   * Runs `handleTimeout` unless a message arrives within `ms` milliseconds (B3.6). Any message cancels it.
   *
   * @throws {RangeError} if `ms` is negative or not a number.
   */
  idle(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`the idle time must be 0 or more milliseconds, not ${ms}`);
    this.#after.idleMs = ms;
  }

  /** In `init`: there is nothing to run. The start answers `ignored`, and a supervisor keeps the child without a process. */
  ignore(): void {
    this.#after.ignore = true;
  }

  /**
   * In a method that is called: what the method returns is not the answer; {@link reply} gives it later, from here or from
   * any process that is told.
   *
   * @throws {RangeError} outside of a call.
   */
  deferReply(): From {
    const { call } = this.#after;
    if (call === undefined) throw new RangeError("there is no call to answer: this is no call");
    this.#after.deferred = true;
    return call.defer();
  }

  /** Answers a deferred call. Only the first answer counts; one that comes too late is dropped. */
  reply(from: From, value: unknown): void {
    this.kernel.reply(from, { ok: true, value });
  }
}
