/**
 * Where signals of other nodes go: to the kernel, to the node's port, or to whoever stands in front of a process.
 *
 * @module
 */
import type { Kernel, NodeAddress, Outcome, Pid, Signal } from "@coppice/kernel";
import { isToPort, type Message, type NodePort } from "./node-port.ts";

/** Stands in front of a process of this node. Returns whether it took the signal; if not, the kernel gets it. */
export type Guard = (signal: Message) => boolean;

/** The life of no node: replies to it are taken by {@link SignalRouter.ask}. */
const tapIncarnation = "tap";

export class SignalRouter {
  readonly #kernel: Kernel;
  readonly #port: NodePort;
  readonly #send: (signal: Signal) => boolean;
  /** By serial number of the process. */
  readonly #guards = new Map<number, Guard>();
  readonly #taps = new Map<number, (outcome: Outcome) => void>();
  #tapIds = 0;

  constructor(options: {
    readonly kernel: Kernel;
    readonly port: NodePort;
    readonly send: (signal: Signal) => boolean;
  }) {
    this.#kernel = options.kernel;
    this.#port = options.port;
    this.#send = options.send;
  }

  /** Takes a signal of another node. */
  receive(signal: Signal): void {
    const isMessage = signal.type === "send" || signal.type === "cast" || signal.type === "call";
    if (isMessage && signal.name === undefined) {
      if (isToPort(signal)) return this.#port.receive(signal);
      if (this.#guards.size > 0 && this.#guardOf(signal.to)?.(signal) === true) return;
    }
    this.#kernel.receive(signal);
  }

  /** Carries a signal of this node's kernel to another node. */
  deliver(signal: Signal): boolean {
    if (signal.type === "reply" && signal.to.incarnation === tapIncarnation) {
      const tap = this.#taps.get(signal.id);
      this.#taps.delete(signal.id);
      tap?.(signal.outcome);
      return true;
    }
    return this.#send(signal);
  }

  /** Sets who stands in front of a process of this node; nothing: nobody any more. */
  guard(pid: Pid, guard: Guard | undefined): void {
    if (guard === undefined) this.#guards.delete(pid.serial);
    else this.#guards.set(pid.serial, guard);
  }

  /**
   * Calls a process of this node. `onReply` runs in the moment of the reply, before the process takes its next message.
   * Returns what forgets the call.
   */
  ask(
    pid: Pid,
    request: { readonly method: string; readonly args: readonly unknown[] },
    onReply: (outcome: Outcome) => void,
  ): () => void {
    this.#tapIds += 1;
    const id = this.#tapIds;
    this.#taps.set(id, onReply);
    const { method, args } = request;
    this.#kernel.receive({ type: "call", to: pid, id, origin: this.#tapAddress(), method, args });
    return () => this.#taps.delete(id);
  }

  /** Answers a call instead of the process it was for. */
  answer({ origin, id }: Signal & { readonly type: "call" }, outcome: Outcome): void {
    this.deliver({ type: "reply", to: origin, id, outcome });
  }

  #guardOf(pid: Pid): Guard | undefined {
    const { incarnation } = this.#kernel.address;
    return pid.incarnation === incarnation ? this.#guards.get(pid.serial) : undefined;
  }

  #tapAddress(): NodeAddress {
    return { node: this.#kernel.address.node, incarnation: tapIncarnation };
  }
}
