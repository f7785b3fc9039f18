/**
 * What a node tells the command line about itself and the cluster.
 *
 * @module
 */
import {
  CallError,
  type CallFailure,
  errorData,
  type Kernel,
  kill,
  type Pid,
  type ProcessInfo,
} from "@coppice/kernel";
import { decode, encode, type Message, type Subscription, type Transport } from "@coppice/net";
import type { DrainResult } from "./drain.ts";
import type { NameEntry } from "./names.ts";
import type { NodeInfo } from "./node-view.ts";

/** A question. */
export type AdminRequest =
  /** Who is there? Asked of all nodes at once; the first answer is from one that works. */
  | { readonly type: "hello" }
  | { readonly type: "nodes" }
  | { readonly type: "names" }
  | { readonly type: "ps" }
  | {
      readonly type: "call";
      readonly name: string;
      readonly method: string;
      readonly args: readonly unknown[];
      readonly timeoutMs: number;
    }
  | { readonly type: "kill"; readonly name: string }
  /** The node hands its names over; it stays, and takes nothing new. Answered when that is done, with a {@link DrainResult}. */
  | { readonly type: "drain" };

/** An answer: data, or why not. */
export type AdminAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: CallFailure };

export interface NodeRow {
  readonly name: string;
  readonly incarnation: string;
  readonly osPid: number;
  readonly status: "up" | "suspect" | "draining";
  readonly labels: Readonly<Record<string, string>>;
  /** How many names it owns, as of its last renewal. */
  readonly names: number;
  /** How late its timers are, in milliseconds. */
  readonly lagMs: number;
}

export interface NameRow {
  readonly name: string;
  readonly node: string;
  readonly pid: string | undefined;
  readonly epoch: number;
}

export interface ProcessRow {
  readonly pid: string;
  readonly name: string | undefined;
  readonly node: string;
  readonly kind: string;
  readonly restarts: number;
  readonly mailbox: number;
  readonly status: string;
  readonly parent: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

/** What the answers are made from. */
export interface AdminSource {
  readonly kernel: Kernel;
  readonly nodes: () => readonly NodeInfo[];
  readonly names: () => readonly NameEntry[];
  readonly call: (
    name: string,
    method: string,
    args: readonly unknown[],
    options: { readonly timeoutMs: number },
  ) => Promise<unknown>;
  readonly pidOf: (name: string) => Pid | undefined;
  readonly drain: () => Promise<DrainResult>;
}

/** Answers on both subjects: the node's own, and the one all nodes share. */
export function serveAdmin(
  source: AdminSource,
  transport: Transport,
  subjects: { readonly own: string; readonly shared: string },
): Subscription {
  const serve = async ({ data, reply }: Message): Promise<void> => {
    const answer = await answerTo(source, decode(data) as AdminRequest);
    if (reply !== undefined) transport.publish(reply, encode(answer));
  };
  const subscriptions = [
    transport.subscribe(subjects.own, serve),
    transport.subscribe(subjects.shared, serve),
  ];
  return { unsubscribe: () => subscriptions.forEach(({ unsubscribe }) => unsubscribe()) };
}

async function answerTo(source: AdminSource, request: AdminRequest): Promise<AdminAnswer> {
  try {
    return { ok: true, value: await valueOf(source, request) };
  } catch (thrown) {
    if (thrown instanceof CallError) return { ok: false, failure: thrown.toFailure() };
    const { message } = errorData(thrown);
    return { ok: false, failure: { code: "failed", executed: "maybe", message } };
  }
}

function valueOf(source: AdminSource, request: AdminRequest): unknown {
  switch (request.type) {
    case "hello":
      return source.kernel.address.node;
    case "nodes":
      return source.nodes().map(nodeRow);
    case "names":
      return source.names().map(nameRow);
    case "ps":
      return source.kernel.processes().map(processRow);
    case "call":
      return source.call(request.name, request.method, request.args, request);
    case "kill": {
      const pid = source.pidOf(request.name);
      if (pid === undefined) throw noSuchName(request.name);
      source.kernel.exit(pid, kill);
      return pid.toString();
    }
    case "drain":
      return source.drain();
    default:
      throw new RangeError(`this node does not know the request ${String(Object(request).type)}`);
  }
}

function nodeRow({ node, incarnation, osPid, status, traits }: NodeInfo): NodeRow {
  const { labels = {}, draining = false, load } = traits ?? {};
  return {
    name: node,
    incarnation,
    osPid,
    status: draining ? "draining" : status,
    labels,
    names: load?.names ?? 0,
    lagMs: load?.lagMs ?? 0,
  };
}

function nameRow({ name, owner, pid, epoch }: NameEntry): NameRow {
  return { name, node: owner.node, pid: pid?.toString(), epoch };
}

function processRow(info: ProcessInfo): ProcessRow {
  const { pid, name, label, kind, restarts, mailbox, status, parent, details } = info;
  return {
    pid: pid.toString(),
    name: name ?? label,
    node: pid.node,
    kind,
    restarts,
    mailbox,
    status,
    parent: parent?.toString(),
    details,
  };
}

/** Nobody answers to that name anywhere. */
export function noSuchName(name: string): CallError {
  const message = `no process is named ${name} in this cluster`;
  return new CallError({ code: "noproc", executed: "no", message });
}
