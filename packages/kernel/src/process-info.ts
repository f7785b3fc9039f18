/**
 * What is known about a live process, for people and for tools.
 *
 * @module
 */
import type { Incoming } from "./behaviour.ts";
import type { Pid } from "./pid.ts";
import type { Process } from "./process.ts";

/** A look at one live process. */
export interface ProcessInfo {
  readonly pid: Pid;
  readonly name: string | undefined;
  readonly label: string | undefined;
  readonly kind: string;
  readonly status: "starting" | "waiting" | "running";
  readonly parent: Pid | undefined;
  readonly restarts: number;
  readonly trapExit: boolean;
  /** Messages waiting. */
  readonly mailbox: number;
  /** Messages refused because the mailbox was full. */
  readonly refused: number;
  /** The message that is being handled: `call push/1`, `info`. */
  readonly current: string | undefined;
  /** Messages handled so far. */
  readonly handled: number;
  /** Work done so far. JavaScript does not count it finer than messages: as {@link handled}. */
  readonly reductions: number;
  /**
   * What the kernel holds for this process, in bytes: its record and the messages that wait, estimated from the first few.
   * The process's own state is not in it: JavaScript does not say whose an object is.
   */
  readonly memoryBytes: number;
  readonly links: readonly Pid[];
  /** How many processes and how much code watch this one. */
  readonly watchers: number;
  /** How many processes this one watches. */
  readonly monitors: number;
  readonly timers: number;
  /** What the process said about itself with `Self.label`. */
  readonly labels: Readonly<Record<string, unknown>>;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

/** Measured: a process that does nothing, on a 64-bit machine. */
const recordBytes = 400;
/** How many waiting messages are measured; the others are taken to be alike. */
const sampleMax = 32;
/** How many values of one message are visited. */
const visitsMax = 256;

/** Looks at a process. */
export function describeProcess(process: Process): ProcessInfo {
  const { pid, status, handled, mailbox, options, code, relations, current } = process;
  return {
    pid,
    name: process.name,
    label: options.label,
    kind: options.kind ?? "process",
    status: status === "ended" ? "running" : status,
    parent: options.parent ?? options.link,
    restarts: options.restarts ?? 0,
    trapExit: process.trapExit,
    mailbox: mailbox?.length ?? 0,
    refused: relations?.refused ?? 0,
    current: current === undefined ? undefined : describeMessage(current),
    handled,
    reductions: handled,
    memoryBytes: recordBytes + mailboxBytes(process),
    links: [...(relations?.links?.values() ?? [])],
    watchers: relations?.watchers?.size ?? 0,
    monitors: relations?.monitoring?.size ?? 0,
    timers: relations?.timers?.size ?? 0,
    labels: Object.fromEntries(relations?.labels ?? []),
    details: typeof code === "function" ? undefined : code.describe?.(),
  };
}

/** One word and a size: the arguments themselves may be anything, and large. */
export function describeMessage(message: Incoming): string {
  switch (message.type) {
    case "call":
    case "cast":
      return `${message.type} ${message.method}/${message.args.length}`;
    default:
      return message.type;
  }
}

function mailboxBytes({ mailbox }: Process): number {
  if (mailbox === undefined || mailbox.length === 0) return 0;
  const sampled = Math.min(mailbox.length, sampleMax);
  let bytes = 0;
  for (let index = 0; index < sampled; index += 1) {
    const budget = { visits: visitsMax };
    bytes += valueBytes(mailbox.at(index), budget);
  }
  return Math.round((bytes / sampled) * mailbox.length);
}

function valueBytes(value: unknown, budget: { visits: number }): number {
  if (typeof value === "string") return 24 + value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (value instanceof Uint8Array) return 64 + value.byteLength;
  let bytes = 32;
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    budget.visits -= 1;
    if (budget.visits < 0) break;
    bytes += 8 + valueBytes(item, budget);
  }
  return bytes;
}
