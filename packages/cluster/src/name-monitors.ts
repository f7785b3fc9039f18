/**
 * News of names: which process began and ceased to answer to which, on whatever node.
 *
 * Invariants:
 *   E-037. When a name goes from one process to another, the end of the first comes before the beginning of the second.
 *
 * @module
 */
import { type Kernel, type Pid, samePid } from "@coppice/kernel";
import { EventMonitors } from "./event-monitors.ts";
import type { Names } from "./names.ts";
import type { Outlets } from "./outlet.ts";

/** Told as a plain message, when this node has heard of it. */
export class NameEvent {
  readonly type: "registered" | "unregistered";
  readonly name: string;
  readonly pid: Pid;

  constructor(type: "registered" | "unregistered", name: string, pid: Pid) {
    this.type = type;
    this.name = name;
    this.pid = pid;
  }
}

export class NameMonitors {
  readonly #names: Names;
  readonly #monitors: EventMonitors<NameEvent>;
  /** Who answers, as was told last. */
  readonly #told = new Map<string, Pid>();

  constructor(options: {
    readonly kernel: Kernel;
    readonly outlets: Outlets;
    readonly names: Names;
  }) {
    this.#names = options.names;
    this.#monitors = new EventMonitors({ ...options, source: "names" });
    this.#names.observeAll((name) => this.#look(name));
  }

  /** Each `true` adds a subscription, with one message each; `false` ends all of this process. */
  monitor(pid: Pid, wanted: boolean): void {
    this.#monitors.monitor(pid, wanted);
  }

  #look(name: string): void {
    const before = this.#told.get(name);
    const now = this.#names.get(name)?.pid;
    if (before !== undefined && now !== undefined && samePid(before, now)) return;
    if (before !== undefined) this.#monitors.tell(new NameEvent("unregistered", name, before));
    if (now === undefined) return void this.#told.delete(name);
    this.#told.set(name, now);
    this.#monitors.tell(new NameEvent("registered", name, now));
  }
}
