/**
 * The errors that processes and their callers meet, so that a caller can handle them by class or by `code`.
 *
 * A class is for the caller in the same program. `code` is what crosses a node or a worker, where classes do not.
 *
 * @module
 */
import { CoppiceError } from "./coppice-error.ts";
import { describeReason, type ExitReason } from "./exit-reason.ts";
import type { Pid } from "./pid.ts";

/** Why a call failed. */
export type CallErrorCode =
  /** No such process or name: it certainly did not run. */
  | "noproc"
  /** The callee has no such function: it certainly did not run. */
  | "unknown_function"
  /** No answer in time; the callee may still handle the request. */
  | "timeout"
  /** The callee ended before it answered. */
  | "exited"
  /** The callee's node became unreachable. */
  | "noconnection"
  /** The callee's mailbox is full: it did not run. */
  | "overloaded"
  /** The caller may not do this, or the request was refused before it ran: see the message. */
  | "denied"
  /** The node is shutting down: it did not run. */
  | "draining"
  /** The arguments do not fit the callee's interface: it did not run. */
  | "bad_argument"
  /** A process called itself, which could only wait for ever: it did not run. */
  | "calling_self"
  /** The callee answered with an error of its own (a WIT `err`): it ran. */
  | "failed";

/** What a failed call looks like as data, on the wire and in JSON. */
export interface CallFailure {
  readonly code: CallErrorCode;
  /** Whether the request may have been executed. `no` is only said when that is certain. */
  readonly executed: "no" | "maybe";
  readonly message: string;
  /** The callee's exit reason, with code `exited`. */
  readonly reason?: ExitReason;
  /** The callee's own error value, with code `failed`. */
  readonly payload?: unknown;
}

/** A call did not return a value. */
export class CallError extends CoppiceError {
  static {
    this.prototype.name = "CallError";
  }
  readonly code: CallErrorCode;
  readonly executed: "no" | "maybe";
  readonly reason: ExitReason | undefined;
  readonly payload: unknown;

  constructor(failure: CallFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.code = failure.code;
    this.executed = failure.executed;
    this.reason = failure.reason;
    this.payload = failure.payload;
  }

  /** The plain-data form that crosses nodes. */
  toFailure(): CallFailure {
    return {
      code: this.code,
      executed: this.executed,
      message: this.message,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.payload === undefined ? {} : { payload: this.payload }),
    };
  }
}

/** A process exits with this reason when it is thrown inside it: Erlang's `exit(Reason)`. */
export class ExitError extends CoppiceError {
  static {
    this.prototype.name = "ExitError";
  }
  readonly code = "exit";
  readonly reason: ExitReason;

  /** Without a stack: it is thrown to leave a process, often, and the reason says why. */
  constructor(reason: ExitReason) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`exit: ${describeReason(reason)}`);
    Error.stackTraceLimit = stackTraceLimit;
    this.reason = reason;
  }
}

/** A name is already registered by another live process. */
export class NameTakenError extends CoppiceError {
  static {
    this.prototype.name = "NameTakenError";
  }
  readonly code = "name_taken";
  readonly taken: string;
  /** The process that holds it. */
  readonly holder: Pid;

  constructor(taken: string, holder: Pid) {
    super(`the name ${taken} is taken by ${holder}`);
    this.taken = taken;
    this.holder = holder;
  }
}

/** No process of this node is registered under the name a message was sent to (A5.2). */
export class NameNotRegisteredError extends CoppiceError {
  static {
    this.prototype.name = "NameNotRegisteredError";
  }
  readonly code = "name_not_registered";
  readonly missing: string;

  constructor(missing: string) {
    super(`no process is registered as ${missing}: start it first, or send to its pid`);
    this.missing = missing;
  }
}

/** A process that does not trap exits tried to link itself to one that has ended (A3.4). */
export class NoProcessError extends CoppiceError {
  static {
    this.prototype.name = "NoProcessError";
  }
  readonly code = "noproc";
  readonly pid: Pid;

  constructor(pid: Pid) {
    super(`${pid} has ended: there is nothing to link to`);
    this.pid = pid;
  }
}
