/**
 * The record of one live process: its mailbox, its relations to others, and what it is doing.
 *
 * Only `kernel.ts` changes it.
 *
 * @module
 */
import type { Behaviour, Incoming, Outcome, ProcessInfo, SpawnOptions } from "./behaviour.ts";
import type { ExitReason } from "./exit-reason.ts";
import { Mailbox } from "./mailbox.ts";
import type { Pid } from "./pid.ts";
import type { Self } from "./self.ts";

/** Who watches a process: told once, when it ends. No pid: there was no such process to begin with. */
export type Watcher = (reason: ExitReason, pid: Pid | undefined) => void;

/** A call that has been accepted and not been answered. */
export interface OpenCall {
  readonly settle: (outcome: Outcome) => void;
  /** Whether the behaviour has seen it, so that it may have run. */
  dispatched: boolean;
}

/** The most messages that may wait in a mailbox unless the process says otherwise. */
export const mailboxCapacityDefault = 10_000;

/** One live process. Fields that most processes never use are made when first needed. */
export class Process {
  readonly pid: Pid;
  readonly self: Self;
  readonly behaviour: Behaviour;
  readonly options: SpawnOptions;
  readonly mailbox = new Mailbox<Incoming>();
  status: "starting" | "waiting" | "running" = "starting";
  name: string | undefined;
  trapExit: boolean;
  handled = 0;
  current: Incoming | undefined;
  abort: AbortController | undefined;
  /** Told once, when `start` has returned. */
  started: (() => void) | undefined;
  /** By printed pid. */
  links: Map<string, Pid> | undefined;
  watchers: Map<number | string, Watcher> | undefined;
  /** What this process monitors: reference to the function that stops it. */
  monitoring: Map<number, () => void> | undefined;
  openCalls: Map<Incoming, OpenCall> | undefined;

  constructor(pid: Pid, self: Self, behaviour: Behaviour, options: SpawnOptions) {
    this.pid = pid;
    this.self = self;
    this.behaviour = behaviour;
    this.options = options;
    this.trapExit = options.trapExit ?? false;
  }

  get capacity(): number {
    return this.options.mailboxCapacity ?? mailboxCapacityDefault;
  }

  get hasRoom(): boolean {
    return this.mailbox.length < this.capacity;
  }

  addLink(peer: Pid): void {
    this.links ??= new Map();
    this.links.set(peer.toString(), peer);
  }

  /** What is known about it, for people. */
  describe(): ProcessInfo {
    const { pid, name, status, handled, mailbox, options, behaviour } = this;
    return {
      pid,
      name,
      label: options.label,
      kind: options.kind ?? "process",
      status,
      parent: options.parent ?? options.link,
      restarts: options.restarts ?? 0,
      mailbox: mailbox.length,
      handled,
      details: behaviour.describe?.(),
    };
  }
}
