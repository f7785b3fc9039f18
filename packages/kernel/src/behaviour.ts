/**
 * What a process is made of: the callbacks the kernel runs, one at a time, on behalf of one process.
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

/** One message in a mailbox. */
export type Incoming =
  /** A request that waits for `reply`; only the first reply counts. */
  | {
      readonly type: "call";
      readonly method: string;
      readonly args: readonly unknown[];
      readonly reply: (outcome: Outcome) => void;
    }
  /** A request nobody waits for. */
  | { readonly type: "cast"; readonly method: string; readonly args: readonly unknown[] }
  /** A plain message. */
  | { readonly type: "info"; readonly message: unknown }
  /** A monitored process ended (A4.2). `ref` is what `Self.monitor` returned. */
  | {
      readonly type: "down";
      readonly ref: number;
      readonly pid: Pid | undefined;
      readonly reason: ExitReason;
    }
  /** An exit signal that was trapped (A2.4). */
  | { readonly type: "exit"; readonly from: Pid; readonly reason: ExitReason };

/**
 * The code of a process. The kernel runs at most one callback of a process at a time and awaits a returned promise
 * before the next; a throw or a rejection ends the process with that error as its exit reason.
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
}

/** How to spawn a process. */
export interface SpawnOptions {
  /** What kind of process this is, for people. Default: `process`. */
  readonly kind?: string;
  /** A local name to register before the process runs. */
  readonly name?: string;
  /** What people call it when it has no local name of its own: its id under a supervisor, its name in the cluster. */
  readonly label?: string;
  /** Links the new process to this one, atomically. */
  readonly link?: Pid;
  /** The process that started this one: its exit signals are the parent's. Default: `link`. */
  readonly parent?: Pid;
  /** How often a supervisor restarted this child before. Default: 0. */
  readonly restarts?: number;
  /** Whether exit signals become messages. Default: false. */
  readonly trapExit?: boolean;
  /** The most messages that may wait; one more is refused as `overloaded`. Default: 10_000. */
  readonly mailboxCapacity?: number;
  /**
   * Asked before every dispatch and before every reply: false means this process may not act any more (it lost the
   * lease of its name), so the message or the reply is dropped.
   */
  readonly fence?: () => boolean;
}

/** What is known about a live process. */
export interface ProcessInfo {
  readonly pid: Pid;
  readonly name: string | undefined;
  readonly label: string | undefined;
  readonly kind: string;
  readonly status: "starting" | "waiting" | "running";
  readonly parent: Pid | undefined;
  readonly restarts: number;
  /** Messages waiting. */
  readonly mailbox: number;
  /** Messages handled so far. */
  readonly handled: number;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

/** How a start ended: a value, since failing to start is expected. */
export type StartResult =
  | { readonly type: "started"; readonly pid: Pid }
  /** There is nothing to run, by the child's own choice. */
  | { readonly type: "ignored" }
  | { readonly type: "failed"; readonly reason: ExitReason };
