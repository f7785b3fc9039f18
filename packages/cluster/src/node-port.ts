/**
 * The port of a node: where its services talk to those of other nodes, in order with the signals between processes.
 *
 * Its address is a pid with the serial number 0, which no process has.
 *
 * @module
 */
import {
  errorData,
  type Kernel,
  type NodeAddress,
  type Outcome,
  Pid,
  type Signal,
} from "@coppice/kernel";
import { BadFrameError } from "@coppice/net";

const portSerial = 0;

/** Handles what a service of another node says. What a call's handler returns is the answer. */
export type PortHandler = (from: NodeAddress, args: readonly unknown[]) => unknown;

/** A signal to a process that asks or tells it something. */
export type Message = Signal & { readonly type: "send" | "cast" | "call" };

/** Whether a signal is for the node itself. */
export function isToPort(signal: Message): boolean {
  return signal.to.serial === portSerial;
}

export class NodePort {
  readonly #kernel: Kernel;
  readonly #reply: (signal: Signal) => void;
  readonly #handlers = new Map<string, PortHandler>();

  constructor(options: { readonly kernel: Kernel; readonly reply: (signal: Signal) => void }) {
    this.#kernel = options.kernel;
    this.#reply = options.reply;
  }

  /** One handler a method, for casts and calls. */
  on(method: string, handler: PortHandler): void {
    this.#handlers.set(method, handler);
  }

  /** Tells a service of another node. It is lost if that node is unreachable. */
  cast(to: NodeAddress, method: string, args: readonly unknown[]): void {
    this.#kernel.cast(portOf(to), method, [this.#sender(), args]);
  }

  /** Asks a service of another node. @throws {CallError} as `Kernel.call`. */
  call(
    to: NodeAddress,
    method: string,
    args: readonly unknown[],
    timeoutMs: number,
  ): Promise<unknown> {
    const options = { timeoutMs, label: `node ${to.node}` };
    return this.#kernel.call(portOf(to), method, [this.#sender(), args], options);
  }

  /** Takes a signal for this node. @throws {BadFrameError} for one that no service sends. */
  receive(signal: Message): void {
    if (signal.type === "send") throw new BadFrameError("a node takes no plain messages");
    const [from, args] = parse(signal.args);
    const handler = this.#handlers.get(signal.method);
    if (signal.type === "cast") return void handler?.(from, args);
    void this.#answer(signal, () => {
      if (handler === undefined) throw new RangeError(`this node has no service ${signal.method}`);
      return handler(from, args);
    });
  }

  async #answer(signal: Signal & { readonly type: "call" }, run: () => unknown): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = { ok: true, value: await run() };
    } catch (thrown) {
      const { message } = errorData(thrown);
      outcome = { ok: false, failure: { code: "failed", executed: "maybe", message } };
    }
    this.#reply({ type: "reply", to: signal.origin, id: signal.id, outcome });
  }

  #sender(): readonly string[] {
    const { node, incarnation } = this.#kernel.address;
    return [node, incarnation];
  }
}

function portOf({ node, incarnation }: NodeAddress): Pid {
  return new Pid(node, incarnation, portSerial);
}

function parse(args: readonly unknown[]): [from: NodeAddress, args: readonly unknown[]] {
  const [sender, rest] = args;
  const [node, incarnation] = Array.isArray(sender) ? (sender as unknown[]) : [];
  if (typeof node !== "string" || typeof incarnation !== "string" || !Array.isArray(rest))
    throw new BadFrameError("a message between services is malformed");
  return [{ node, incarnation }, rest];
}
