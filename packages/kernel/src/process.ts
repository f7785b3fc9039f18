/**
 * The record of one live process: its mailbox, its relations to others, and what it is doing.
 *
 * Only the kernel's own files change it. A million of them must fit in memory: what most processes never need is made when it is
 * first needed.
 *
 * @module
 */
import type { Behaviour, Incoming, ProcessFunction, SpawnOptions } from "./behaviour.ts";
import type { OpenCall } from "./open-call.ts";
import type { ExitReason } from "./exit-reason.ts";
import type { Delivery } from "./kernel-options.ts";
import { Mailbox } from "./mailbox.ts";
import type { Pid } from "./pid.ts";
import type { Self } from "./self.ts";

/** Who watches a process: told once, when it ends. No pid: there was no such process to begin with. */
export type Watcher = (reason: ExitReason, pid: Pid | undefined) => void;

/** A `receive` that has not found its message yet. */
export interface Waiter {
  readonly wanted: (message: Incoming) => boolean;
  /** The number of the first message that has not been looked at. */
  from: number;
  readonly settle: (message: Incoming | undefined) => void;
  readonly fail: (error: Error) => void;
  readonly cancelTimeout: (() => void) | undefined;
}

/** What ties a process to others and to the node. */
export interface Relations {
  name?: string | undefined;
  /** By `ProcessTable.keyOf`. */
  links?: Map<number | string, Pid>;
  /** By number for those of this node, by text for those of others. */
  watchers?: Map<number | string, Watcher>;
  /** What this process monitors: reference to the function that stops it. */
  monitoring?: Map<number, () => void>;
  aliases?: Set<number>;
  timers?: Set<number>;
  labels?: Map<string, unknown>;
  /** Unanswered calls that were deferred, by tag. */
  deferred?: Map<number, OpenCall>;
  lastTag?: number;
  abort?: AbortController;
  waiter?: Waiter | undefined;
  /** Ends the wait for the fence. */
  cancelLook?: (() => void) | undefined;
  /** What it sent and its fence holds back. */
  outbox?: (() => Delivery)[] | undefined;
  /** Messages refused because the mailbox was full. */
  refused?: number;
}

/** The most messages that may wait in a mailbox unless the process says otherwise. */
export const mailboxCapacityDefault = 10_000;

/** One process. */
export class Process {
  readonly pid: Pid;
  readonly self: Self;
  readonly code: Behaviour | ProcessFunction;
  /** Replaced as a whole when a fence is added. */
  options: SpawnOptions;
  status: "starting" | "waiting" | "running" | "ended" = "starting";
  /** Whether it waits in the run queue. */
  queued = false;
  trapExit: boolean;
  handled = 0;
  mailbox: Mailbox<Incoming> | undefined;
  current: Incoming | undefined;
  /** The newest of the calls it has not answered. */
  openCalls: OpenCall | undefined;
  /** Told once: without a reason when `start` has returned, with one when the process ended before. */
  started: ((failure?: ExitReason) => void) | undefined;
  relations: Relations | undefined;

  constructor(pid: Pid, self: Self, code: Behaviour | ProcessFunction, options: SpawnOptions) {
    this.pid = pid;
    this.self = self;
    this.code = code;
    this.options = options;
    this.trapExit = options.trapExit ?? false;
  }

  get name(): string | undefined {
    return this.relations?.name;
  }

  get capacity(): number {
    return this.options.mailboxCapacity ?? mailboxCapacityDefault;
  }

  get hasRoom(): boolean {
    return this.mailbox === undefined || this.mailbox.length < this.capacity;
  }

  /** What people call it. */
  get title(): string {
    return this.name ?? this.options.label ?? this.pid.toString();
  }

  /** Its relations, made when first asked for. */
  relate(): Relations {
    this.relations ??= {};
    return this.relations;
  }

  /** Its mailbox, made when first asked for. */
  box(): Mailbox<Incoming> {
    this.mailbox ??= new Mailbox();
    return this.mailbox;
  }
}
