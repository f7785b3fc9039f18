/**
 * A call that a process of this node has accepted and not answered.
 *
 * Invariants:
 *   O1. It settles once: by the reply, the callee's end, or the caller's deadline. What comes later is dropped (B2.6).
 *   O2. While unsettled it is among its callee's open calls, so that the callee's end settles it.
 *
 * @module
 */
import type { From, IncomingCall, Outcome } from "./behaviour.ts";
import type { Deadlines, Due } from "./deadlines.ts";
import { type Caller, tellCaller } from "./caller.ts";
import { failed, fenced, notPlain, timedOut } from "./failures.ts";
import type { Pid } from "./pid.ts";
import { copyPlainData, messageBytesMax } from "./plain-data.ts";
import type { Process } from "./process.ts";

/** What every open call has, wherever its caller is. */
export abstract class OpenCall implements IncomingCall {
  readonly type = "call";
  readonly method: string;
  readonly args: readonly unknown[];
  readonly callee: Process;
  /** Whether the callee has seen it, so that it may have run. */
  dispatched = false;
  #settled = false;
  /** Which of the callee's deferred calls it is. 0: none. */
  #tag = 0;
  #older: OpenCall | undefined;
  #newer: OpenCall | undefined;

  constructor(callee: Process, method: string, args: readonly unknown[]) {
    this.callee = callee;
    this.method = method;
    this.args = args;
    this.#older = callee.openCalls;
    if (this.#older !== undefined) this.#older.#newer = this;
    callee.openCalls = this;
  }

  /** The next older of the callee's open calls. */
  get older(): OpenCall | undefined {
    return this.#older;
  }

  reply(outcome: Outcome): void {
    if (this.#settled) return;
    if (this.callee.options.fence?.() === false)
      return this.settle(failed(fenced(this.callee, "maybe")));
    this.settle(outcome.ok ? this.#crossing(outcome) : outcome);
  }

  defer(): From {
    const { callee } = this;
    if (this.#tag === 0 && !this.#settled) {
      const relations = callee.relate();
      relations.deferred ??= new Map();
      relations.lastTag = (relations.lastTag ?? 0) + 1;
      this.#tag = relations.lastTag;
      relations.deferred.set(this.#tag, this);
    }
    return { pid: callee.pid, tag: this.#tag };
  }

  settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    const { callee } = this;
    if (this.#newer === undefined) callee.openCalls = this.#older;
    else this.#newer.#older = this.#older;
    if (this.#older !== undefined) this.#older.#newer = this.#newer;
    this.#older = undefined;
    this.#newer = undefined;
    if (this.#tag !== 0) callee.relations?.deferred?.delete(this.#tag);
    this.answer(outcome);
  }

  /** Tells the caller. */
  protected abstract answer(outcome: Outcome): void;

  /** Whether values cross by reference: see `CallOptions.local`. */
  protected get byReference(): boolean {
    return false;
  }

  /** What cannot cross fails the call, and is the callee's crash. */
  #crossing(outcome: Outcome & { readonly ok: true }): Outcome {
    if (this.byReference || isPrimitive(outcome.value)) return outcome;
    try {
      return { ok: true, value: copyPlainData(outcome.value, `what ${this.method} returned`) };
    } catch (thrown) {
      this.settle(failed(notPlain(thrown)));
      throw thrown;
    }
  }
}

function isPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return value.length <= messageBytesMax;
    case "number":
    case "boolean":
    case "undefined":
      return true;
    default:
      return value === null;
  }
}

/** A call as it is made on this node. */
export interface LocalRequest extends Caller {
  /** What errors call the callee. */
  readonly title: Pid | string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly timeoutMs: number;
  readonly byReference: boolean;
}

/** A call from this node. */
export class LocalCall extends OpenCall implements Due {
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  readonly #request: LocalRequest;
  readonly #deadlines: Deadlines;

  constructor(callee: Process, request: LocalRequest, deadlines: Deadlines) {
    super(callee, request.method, request.args);
    this.#request = request;
    this.#deadlines = deadlines;
    if (request.timeoutMs !== Infinity) deadlines.add(this);
  }

  get timeoutMs(): number {
    return this.#request.timeoutMs;
  }

  expire(): void {
    const { title, method, timeoutMs } = this.#request;
    this.settle(failed(timedOut(`${title}.${method}`, timeoutMs)));
  }

  protected override get byReference(): boolean {
    return this.#request.byReference;
  }

  protected answer(outcome: Outcome): void {
    this.#deadlines.remove(this);
    tellCaller(this.#request, outcome);
  }
}

/** A call from another node. Its deadline is kept there. */
export class RemoteCall extends OpenCall {
  readonly #tell: (outcome: Outcome) => void;

  constructor(
    callee: Process,
    method: string,
    args: readonly unknown[],
    tell: (outcome: Outcome) => void,
  ) {
    super(callee, method, args);
    this.#tell = tell;
  }

  protected answer(outcome: Outcome): void {
    this.#tell(outcome);
  }
}
