/**
 * What signals do to the processes of this node, wherever they come from.
 *
 * @module
 */
import type { Incoming, Outcome } from "./behaviour.ts";
import { decideExit } from "./exit-signal-policy.ts";
import { type ExitReason, noconnection, noproc } from "./exit-reason.ts";
import { failed, mailboxFull, noProcess, notPlain } from "./failures.ts";
import type { Delivery } from "./kernel-options.ts";
import type { Logger } from "./logger.ts";
import { RemoteCall } from "./open-call.ts";
import { type Pid, samePid } from "./pid.ts";
import type { ProcessEnds } from "./process-ends.ts";
import type { ProcessRunner } from "./process-runner.ts";
import type { ProcessTable } from "./process-table.ts";
import type { Process } from "./process.ts";
import type { NodeAddress, Signal } from "./signal.ts";

export class SignalReceiver {
  readonly #table: ProcessTable;
  readonly #ends: ProcessEnds;
  readonly #runner: ProcessRunner;
  readonly #logger: Logger;
  readonly #route: (signal: Signal) => void;
  readonly #deliver: (signal: Signal) => boolean;

  constructor(options: {
    readonly table: ProcessTable;
    readonly ends: ProcessEnds;
    readonly runner: ProcessRunner;
    readonly logger: Logger;
    readonly route: (signal: Signal) => void;
    readonly deliver: (signal: Signal) => boolean;
  }) {
    this.#table = options.table;
    this.#ends = options.ends;
    this.#runner = options.runner;
    this.#logger = options.logger;
    this.#route = options.route;
    this.#deliver = options.deliver;
  }

  /** Takes what arrived from another node, other than replies and downs. */
  receive(arrived: Signal): void {
    const signal = this.#addressed(arrived);
    switch (signal.type) {
      case "call":
        return this.#acceptCall(signal);
      case "monitor":
        return this.#acceptMonitor(signal.to, signal.id, signal.origin);
      case "demonitor":
        this.#table
          .get(signal.to)
          ?.relations?.watchers?.delete(watcherKey(signal.origin, signal.id));
        return;
      case "reply":
      case "down":
        return;
      default:
        if (this.#table.isHere(signal.to)) this.apply(signal);
    }
  }

  /** The signal with the pid that its name stands for here. Nobody: the pid of nobody. */
  #addressed(signal: Signal): Signal {
    if (!("name" in signal) || signal.name === undefined) return signal;
    const process = this.#table.named(signal.name);
    return process === undefined ? signal : { ...signal, to: process.pid };
  }

  /** Applies a signal to a process of this node. */
  apply(signal: Signal & { readonly to: Pid }): Delivery {
    const process = this.#table.get(signal.to);
    switch (signal.type) {
      case "send":
        return this.enqueue(process ?? this.#table.behind(signal.to), {
          type: "info",
          message: signal.message,
        });
      case "cast":
        return this.enqueue(process, { type: "cast", method: signal.method, args: signal.args });
      case "answer":
        process?.relations?.deferred?.get(signal.tag)?.reply(signal.outcome);
        break;
      case "exit":
        if (process !== undefined)
          this.exitSignal(process, signal.from, signal.reason, signal.linked);
        break;
      case "link":
        if (process !== undefined) this.addLink(process, signal.from);
        else this.#exitPeer(signal.from, signal.to, noproc);
        break;
      case "unlink":
        process?.relations?.links?.delete(this.#table.keyOf(signal.from));
    }
    return process === undefined ? "noproc" : "queued";
  }

  /** Puts a message into a mailbox if there is room. */
  enqueue(process: Process | undefined, message: Incoming): Delivery {
    if (process === undefined || process.status === "ended") return "noproc";
    if (!process.hasRoom) return this.refuse(process);
    this.#runner.push(process, message);
    return "queued";
  }

  /** Counts a message that found the mailbox full; the first of them is logged. */
  refuse(process: Process): "overloaded" {
    const relations = process.relate();
    relations.refused = (relations.refused ?? 0) + 1;
    if (relations.refused === 1)
      this.#logger.warn(
        {
          event: "overloaded",
          pid: process.pid.toString(),
          name: process.name ?? process.options.label,
          capacity: process.capacity,
        },
        `${process.title} is overloaded: ${process.capacity} messages wait, more are refused`,
      );
    return "overloaded";
  }

  addLink(process: Process, peer: Pid): void {
    const relations = process.relate();
    relations.links ??= new Map();
    relations.links.set(this.#table.keyOf(peer), peer);
    if (!this.#table.isHere(peer)) this.#ends.relatedAway.add(process);
  }

  /** A link to a node that cannot be reached breaks at once (A3.5). */
  linkFailed(from: Pid, to: Pid): void {
    const process = this.#table.get(from);
    if (process !== undefined) this.exitSignal(process, to, noconnection, true);
  }

  /** The rules of A2: what an exit signal does to its receiver. */
  exitSignal(process: Process, from: Pid, reason: ExitReason, linked: boolean): void {
    // The link was removed meanwhile (A3.3).
    if (linked && process.relations?.links?.delete(this.#table.keyOf(from)) !== true) return;
    const fromSelf = samePid(from, process.pid);
    const decision = decideExit({ reason, linked, fromSelf, trapExit: process.trapExit });
    if (decision.type === "end") this.#ends.end(process, decision.reason);
    // Not refused when the mailbox is full: a supervisor that misses an exit never restarts the child.
    if (decision.type === "message") this.#runner.push(process, { type: "exit", from, reason });
  }

  /** Breaks what ties processes of this node to a node that is gone. */
  nodeDown(address: NodeAddress): void {
    const prefix = watcherKey(address, "");
    for (const process of this.#ends.relatedAway) {
      const { watchers, links } = process.relations ?? {};
      for (const key of watchers?.keys() ?? [])
        if (typeof key === "string" && key.startsWith(prefix)) watchers!.delete(key);
      for (const peer of links?.values() ?? [])
        if (peer.node === address.node && peer.incarnation === address.incarnation)
          this.exitSignal(process, peer, noconnection, true);
    }
  }

  #exitPeer(to: Pid, from: Pid, reason: ExitReason): void {
    this.#route({ type: "exit", to, from, reason, linked: true });
  }

  #acceptCall({ to, name, id, origin, method, args }: Signal & { readonly type: "call" }): void {
    const process = this.#table.get(to);
    const tell = (outcome: Outcome): void => this.#sendReply(origin, id, outcome);
    if (process === undefined) return tell(failed(noProcess(`${name ?? to}.${method}`)));
    if (!process.hasRoom) {
      this.refuse(process);
      return tell(failed(mailboxFull(`${to}.${method}`, process.capacity)));
    }
    this.#runner.push(process, new RemoteCall(process, method, args, tell));
  }

  /** A value that cannot cross to the caller is a failure for both: the caller must not wait for its deadline. */
  #sendReply(to: NodeAddress, id: number, outcome: Outcome): void {
    try {
      this.#deliver({ type: "reply", to, id, outcome });
    } catch (thrown) {
      this.#deliver({ type: "reply", to, id, outcome: failed(notPlain(thrown)) });
      throw thrown;
    }
  }

  #acceptMonitor(to: Pid, id: number, origin: NodeAddress): void {
    const process = this.#table.get(to);
    const tell = (reason: ExitReason): void => {
      this.#deliver({ type: "down", to: origin, id, pid: to, reason });
    };
    if (process === undefined) return tell(noproc);
    const relations = process.relate();
    relations.watchers ??= new Map();
    relations.watchers.set(watcherKey(origin, id), tell);
    this.#ends.relatedAway.add(process);
  }
}

function watcherKey(origin: NodeAddress, id: number | ""): string {
  return `${origin.node}.${origin.incarnation}.${id}`;
}
