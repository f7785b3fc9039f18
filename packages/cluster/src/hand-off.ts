/**
 * Handing a running process to another node: its name, its state, what waits in its mailbox, and what arrives later.
 *
 * The order is: hold new messages back, let the process answer what it has and take its state, close it, offer the state
 * to the other node, write the new owner by compare-and-set, end the old process. A failure before the write leaves the old
 * process running; a crash after it leaves an entry that its new owner starts from, without the state if that was lost.
 * Invariants:
 *   H1. From the moment of the save on, the old process handles nothing.
 *   H2. A held message is delivered once: to the new process, or to the old one if the hand-off fails.
 *
 * @module
 */
import {
  assertPlainData,
  CallError,
  type Clock,
  errorData,
  type Kernel,
  kill,
  type Logger,
  type NodeAddress,
  NotPlainDataError,
  type Outcome,
  type Pid,
  type Signal,
} from "@coppice/kernel";
import { BadFrameError } from "@coppice/net";
import { getState, resume, suspend } from "@coppice/otp";
import { isSameLife, type Names } from "./names.ts";
import type { Message, NodePort } from "./node-port.ts";
import type { SignalRouter } from "./signal-router.ts";

/** How long the process may take to answer what it has and to save, in milliseconds. */
export const saveTimeoutMs = 5_000;
/** How long another node may take to answer an offer, in milliseconds. */
const offerTimeoutMs = 2_000;
/** How long an offer is kept by the node it was made to, in milliseconds. */
const offerKeptMs = 10_000;
/** The most messages held back for one process; a call beyond is refused as `overloaded`, another message is dropped. */
export const heldMax = 10_000;
/** How long what arrives for the old process is forwarded, in milliseconds. */
const forwardMs = 30_000;
/** How long a call that is passed on may take, in milliseconds: a node that drains waits for the answer. */
const passOnMsMax = 10_000;
/** How long held messages wait for the new process, in milliseconds. */
const heldMsMax = 10_000;

/** What a process leaves to its successor; `undefined` is a state too. */
export interface SavedState {
  readonly state: unknown;
}

/** How the state of a process moves that is no gen-server: a component by a snapshot. */
export interface StateTransfer {
  /** Takes the state of a process that handles nothing any more, as plain data. A throw keeps the process where it is. */
  readonly save: (pid: Pid) => Promise<unknown>;
  /** Gives it to the successor, before that gets its first message. After a throw it goes on as it started. */
  readonly load: (pid: Pid, state: unknown) => Promise<void>;
}

/** A process that can be handed over. */
export interface Movable {
  readonly name: string;
  readonly pid: Pid;
  /** Closes or opens the process: a closed one handles nothing. */
  readonly setClosed: (closed: boolean) => void;
  /** Default: as a gen-server, with `save` or its public fields. */
  readonly transfer: StateTransfer | undefined;
}

interface Offer {
  /** The epoch of the owner that makes it. */
  readonly epoch: number;
  readonly saved: SavedState | undefined;
}

export class HandOffs {
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #names: Names;
  readonly #port: NodePort;
  readonly #router: SignalRouter;
  readonly #acceptors = new Set<(name: string) => boolean>();
  readonly #offers = new Map<string, Offer>();
  /** What is held back, by name. */
  readonly #held = new Map<string, { readonly pid: Pid; readonly messages: Message[] }>();
  /** Calls that were passed on and not answered yet. */
  readonly #passedOn = new Set<Promise<Outcome>>();
  readonly #stopTimers = new Set<() => void>();

  constructor(options: {
    readonly kernel: Kernel;
    readonly names: Names;
    readonly port: NodePort;
    readonly router: SignalRouter;
  }) {
    this.#kernel = options.kernel;
    this.#clock = options.kernel.clock;
    this.#logger = options.kernel.logger;
    this.#names = options.names;
    this.#port = options.port;
    this.#router = options.router;
    this.#port.on("handoff.ask", (_, [name]) => this.#accepts(String(name)));
    this.#port.on("handoff.offer", (_, args) => this.#offered(args));
  }

  /** Resolves when every call that was passed on so far has been answered, or its time is up. */
  async settled(): Promise<void> {
    await Promise.all(this.#passedOn);
  }

  /** Forgets what would be forwarded or taken later. */
  stop(): void {
    for (const stop of this.#stopTimers) stop();
    this.#stopTimers.clear();
  }

  /** Says which names this node would take. Returns what stops it. */
  accept(acceptor: (name: string) => boolean): () => void {
    this.#acceptors.add(acceptor);
    return () => this.#acceptors.delete(acceptor);
  }

  /** The state that was left for this node, which a hand-off has made the owner; nothing if there is none. */
  take(name: string): SavedState | undefined {
    const offer = this.#offers.get(name);
    if (!this.#names.isOurs(name) || this.#names.get(name)?.handedOverAt !== offer?.epoch)
      return undefined; // Made before the owner changed its mind, or died: others have acted since.
    this.#offers.delete(name);
    return offer?.saved;
  }

  /** Whether calls to the name have to wait because its process is being handed over. */
  isHeld(name: string): boolean {
    return this.#held.has(name);
  }

  /** Takes a cast of this node to a process that is being handed over. Returns whether it did. */
  hold(name: string, method: string, args: readonly unknown[]): boolean {
    const held = this.#held.get(name);
    if (held === undefined) return false;
    this.#keep(held.messages, { type: "cast", to: held.pid, method, args });
    return true;
  }

  /** Hands a process to the first of the nodes that takes it. Returns whether one did; if not, it runs on here. */
  async move(process: Movable, candidates: readonly NodeAddress[]): Promise<boolean> {
    const to = await this.#findTaker(process.name, candidates);
    if (to === undefined) return false;
    const { name, pid } = process;
    const messages: Message[] = [];
    this.#held.set(name, { pid, messages });
    this.#router.guard(pid, (signal) => this.#keep(messages, signal));
    const isMoved = await this.#tryMove(process, to);
    if (isMoved) {
      this.#kernel.exit(pid, kill);
      void this.#forward(process, messages);
      return true;
    }
    process.setClosed(false);
    await this.#resume(pid);
    this.#router.guard(pid, undefined);
    this.#held.delete(name);
    for (const signal of messages) this.#kernel.receive(signal);
    return false;
  }

  async #findTaker(
    name: string,
    candidates: readonly NodeAddress[],
  ): Promise<NodeAddress | undefined> {
    for (const candidate of candidates) {
      try {
        const answer = await this.#port.call(candidate, "handoff.ask", [name], offerTimeoutMs);
        if (answer === true) return candidate;
      } catch (thrown) {
        if (!(thrown instanceof CallError)) throw thrown;
      }
    }
    return undefined;
  }

  async #tryMove(process: Movable, to: NodeAddress): Promise<boolean> {
    const { name } = process;
    try {
      const saved = await this.#save(process);
      const epoch = this.#names.get(name)?.epoch;
      if (epoch === undefined || !this.#names.isOurs(name)) return false;
      const offer = [name, epoch, saved !== undefined, saved?.state ?? null];
      await this.#port.call(to, "handoff.offer", offer, offerTimeoutMs);
      if (!(await this.#names.handOver(name, to))) return false;
      const fields = { event: "handed_over", name, to: to.node, state: saved !== undefined };
      this.#logger.info(fields, `handed ${name} over to node ${to.node}`);
      return true;
    } catch (thrown) {
      // The write may have been made all the same: the entry says so.
      const owner = this.#names.get(name)?.owner;
      if (owner !== undefined && isSameLife(owner, to)) return true;
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      this.#logger.warn(
        { event: "hand_off_failed", name, to: to.node, error },
        `${name} could not be handed over to node ${to.node} and runs on here: ${error}`,
      );
      return false;
    }
  }

  /** Lets the process answer what it has, then takes its state; closes it before its next message (H1). */
  async #save({ name, pid, setClosed, transfer }: Movable): Promise<SavedState | undefined> {
    const kernel = this.#kernel;
    const options = { timeoutMs: saveTimeoutMs };
    try {
      await suspend(kernel, pid, options);
    } catch (thrown) {
      if (!(thrown instanceof CallError) || thrown.code !== "unknown_function") throw thrown;
      setClosed(true); // No gen-server, but it has answered what it had.
      return transfer === undefined ? undefined : this.#plain(name, await transfer.save(pid));
    }
    const state = await (transfer?.save(pid) ?? getState(kernel, pid, options));
    setClosed(true);
    return this.#plain(name, state);
  }

  /** A process that has ended, or is no gen-server, was not suspended. */
  async #resume(pid: Pid): Promise<void> {
    try {
      await resume(this.#kernel, pid, { timeoutMs: saveTimeoutMs });
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
    }
  }

  #plain(name: string, state: unknown): SavedState | undefined {
    try {
      assertPlainData(state, "state");
      return { state };
    } catch (thrown) {
      if (!(thrown instanceof NotPlainDataError)) throw thrown;
      const fields = { event: "state_not_plain", name, path: thrown.path };
      this.#logger.warn(fields, `${name} moves without its state: ${thrown.message}`);
      return undefined;
    }
  }

  /** Waits for the new process, sends it what was held, and for a while what still arrives. */
  async #forward({ name, pid }: Movable, messages: Message[]): Promise<void> {
    const successor = await this.#successor(name, pid);
    this.#held.delete(name);
    for (const signal of messages) this.#passOn(signal, successor);
    this.#router.guard(pid, (signal) => {
      this.#passOn(signal, this.#names.get(name)?.pid ?? successor);
      return true;
    });
    this.#later(forwardMs, () => this.#router.guard(pid, undefined));
  }

  #successor(name: string, old: Pid): Promise<Pid | undefined> {
    const { promise, resolve } = Promise.withResolvers<Pid | undefined>();
    const look = (): void => {
      const { pid } = this.#names.get(name) ?? {};
      if (pid !== undefined && pid.toString() !== old.toString()) resolve(pid);
    };
    const stop = this.#names.observe(name, look);
    const stopTimer = this.#clock.after(heldMsMax, () => resolve(undefined));
    look();
    return promise.finally(() => {
      stop();
      stopTimer();
    });
  }

  #passOn(signal: Message, to: Pid | undefined): void {
    if (to?.node === this.#kernel.address.node) return this.#kernel.receive({ ...signal, to });
    if (signal.type !== "call") return void (to && this.#router.deliver({ ...signal, to }));
    if (to === undefined) return this.#refuse(signal, "noconnection", "was handed over");
    void this.#callFor(signal, to);
  }

  /** Calls the successor on behalf of the caller: an answer goes back the way its call came. */
  async #callFor(signal: Signal & { readonly type: "call" }, to: Pid): Promise<void> {
    const { method, args } = signal;
    const answer = this.#kernel.call(to, method, args, { timeoutMs: passOnMsMax }).then(
      (value): Outcome => ({ ok: true, value }),
      (thrown: unknown): Outcome => {
        if (thrown instanceof CallError) return { ok: false, failure: thrown.toFailure() };
        const { message } = errorData(thrown);
        return { ok: false, failure: { code: "failed", executed: "no", message } };
      },
    );
    this.#passedOn.add(answer);
    this.#router.answer(signal, await answer);
    this.#passedOn.delete(answer);
  }

  #keep(messages: Message[], signal: Message): true {
    if (messages.length < heldMax) messages.push(signal);
    else if (signal.type === "call")
      this.#refuse(signal, "overloaded", `is being handed over and ${heldMax} messages wait`);
    return true;
  }

  #refuse(
    signal: Signal & { readonly type: "call" },
    code: "noconnection" | "overloaded",
    why: string,
  ): void {
    const message = `${signal.to}.${signal.method}: the process ${why}; call it by its name again`;
    this.#router.answer(signal, { ok: false, failure: { code, executed: "no", message } });
  }

  #later(ms: number, run: () => void): void {
    const stop = this.#clock.after(ms, () => {
      this.#stopTimers.delete(stop);
      run();
    });
    this.#stopTimers.add(stop);
  }

  #accepts(name: string): boolean {
    return [...this.#acceptors].some((acceptor) => acceptor(name));
  }

  #offered([name, epoch, hasState, state]: readonly unknown[]): true {
    if (typeof name !== "string" || typeof epoch !== "number")
      throw new BadFrameError("an offer is malformed");
    const offer: Offer = { epoch, saved: hasState === true ? { state } : undefined };
    this.#offers.set(name, offer);
    this.#later(offerKeptMs, () => {
      if (this.#offers.get(name) === offer) this.#offers.delete(name);
    });
    return true;
  }
}
