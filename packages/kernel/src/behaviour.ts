/**
 * What a process is made of: the code the kernel runs, one step at a time, on behalf of one process.
 *
 * @module
 */
import type { CallFailure } from "./errors.ts";
import type { ExitReason } from "./exit-reason.ts";
import type { Pid } from "./pid.ts";
import type { Self } from "./self.ts";

/** The outcome of a call, as data. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: CallFailure };

/** A request that waits for `reply`; only the first reply counts. */
export interface IncomingCall {
  readonly type: "call";
  readonly method: string;
  readonly args: readonly unknown[];
  readonly reply: (outcome: Outcome) => void;
  /** Where it can be answered later, by any process that is told: plain data for `Kernel.reply` (B2.9). */
  readonly defer: () => From;
}

/** The address of an unanswered call: the process that was called, and which of its calls. */
export interface From {
  readonly pid: Pid;
  readonly tag: number;
}

/** One message in a mailbox. */
export type Incoming =
  | IncomingCall
  /** A request nobody waits for. */
  | { readonly type: "cast"; readonly method: string; readonly args: readonly unknown[] }
  /** A plain message. */
  | { readonly type: "info"; readonly message: unknown }
  /** A monitored process ended (A4.2). */
  | {
      readonly type: "down";
      /** What `Self.monitor` returned. */
      readonly ref: number;
      /** Missing when nothing was registered under the name that was monitored. */
      readonly pid: Pid | undefined;
      /** The name, when the monitor was by name. */
      readonly name?: string | undefined;
      /** What `Self.monitor` was given as `tag`. */
      readonly tag?: unknown;
      readonly reason: ExitReason;
    }
  /** An exit signal that was trapped (A2.4). */
  | { readonly type: "exit"; readonly from: Pid; readonly reason: ExitReason };

/**
 * The code of a process as callbacks. The kernel runs at most one callback of a process at a time and awaits a returned
 * promise before the next; a throw or a rejection ends the process with that error as its exit reason.
 */
export interface Behaviour {
  /** Runs before the first message. What is thrown here is why the process did not start. */
  readonly start?: (self: Self) => void | Promise<void>;
  /** Handles one message. */
  readonly handle: (message: Incoming, self: Self) => void | Promise<void>;
  /**
   * Releases what the process held outside the kernel. Called exactly once, at once when the process ends, even while
   * a callback still awaits. It must not throw; what it throws is logged.
   */
  readonly ended?: (reason: ExitReason) => void;
  /** Shown by `ps` and `tree`: what this process is doing, as plain data. */
  readonly describe?: () => Readonly<Record<string, unknown>>;
  /** Added to a crash report: the state it crashed in, as plain data. What it throws is reported in its place. */
  readonly report?: () => Readonly<Record<string, unknown>>;
}

/**
 * The code of a process as one function: it takes its messages with `self.receive`. The process ends `normal` when it
 * returns or its promise resolves, and with the error when it throws or rejects (A1.1).
 */
export type ProcessFunction = (self: Self) => void | Promise<void>;

/** How to spawn a process. */
export interface SpawnOptions {
  /** What kind of process this is, for people. Default: `process`. */
  readonly kind?: string;
  /** A local name to register before the process runs. */
  readonly name?: string;
  /** What people call it when it has no local name of its own: its id under a supervisor, its name in the cluster. */
  readonly label?: string;
  /** Links the new process to this one, atomically (A4.6). */
  readonly link?: Pid;
  /** The process that started this one: its exit signals are the parent's. Default: `link`. */
  readonly parent?: Pid;
  /** How often a supervisor restarted this child before. Default: 0. */
  readonly restarts?: number;
  /** Whether exit signals become messages. Default: false. */
  readonly trapExit?: boolean;
  /** The most messages that may wait; one more is refused as `overloaded`. Default: 10_000. */
  readonly mailboxCapacity?: number;
  /** How long `Kernel.start` waits for the behaviour's `start`, in milliseconds, before it kills it. Default: no limit (B1.1). */
  readonly startMs?: number;
  /**
   * Asked before every dispatch and before every reply: false means this process may not act now (it lost the lease of its
   * name). Calls and replies are refused; other messages wait until it may, or until it is ended.
   */
  readonly fence?: () => boolean;
}

/** How a start ended: a value, since failing to start is expected. */
export type StartResult =
  | { readonly type: "started"; readonly pid: Pid }
  /** There is nothing to run, by the child's own choice. */
  | { readonly type: "ignored" }
  | { readonly type: "failed"; readonly reason: ExitReason };

/** The process that holds the name, if that is why the start failed (B1.3). */
export function alreadyStarted(result: StartResult): Pid | undefined {
  if (result.type !== "failed" || result.reason.type !== "exit") return undefined;
  const value = result.reason.value as { type?: unknown; pid?: Pid } | null | undefined;
  return value?.type === "already_started" ? value.pid : undefined;
}
