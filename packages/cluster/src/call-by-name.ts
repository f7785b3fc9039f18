/**
 * Calls to names: looked up in memory, waiting while a name changes hands, sent again only when they certainly did not run.
 *
 * A name `x#1`, `x#2` and so on is a replica of `x`: a call to `x` goes to one of them.
 * Invariants:
 *   C3. Calls to a name leave in the order in which they were made, also those that had to wait.
 *   N2. No answer from an epoch of a name is accepted after one from a later epoch was.
 *
 * @module
 */
import {
  CallError,
  callTimeoutMsDefault,
  type Clock,
  type Kernel,
  Pid,
  type Random,
} from "@coppice/kernel";
import { noSuchName } from "./admin.ts";
import type { HandOffs } from "./hand-off.ts";
import type { NameEntry, Names } from "./names.ts";
import type { Registrations } from "./registrations.ts";
import { type Place, WaitingLines } from "./waiting-lines.ts";

/** A call to a name. */
export interface NodeCallOptions {
  /** In milliseconds. Default: 5_000. */
  readonly timeoutMs?: number;
}

/** A name that another registry than the cluster's resolves. */
export interface Via {
  readonly via: { readonly whereis: (name: string) => Pid | undefined };
  readonly name: string;
}

/** Who is called: a name of the cluster or of this node, a name of another registry, or a process itself. */
export type Target = string | Via | Pid;

interface Callee {
  readonly pid: Pid | undefined;
  /** Of a name of the cluster. */
  readonly name?: string;
  readonly epoch?: number;
}

/** How long to wait for news of a name before a call that did not run is tried again, in milliseconds. */
const retryEveryMs = 50;
/** How long a call waits at most for those it should not overtake, in milliseconds: as long as they may take by default. */
const orderWaitMsMax = 5_000;
/** How long a call that did not run waits for another node to take a name that was just given up, in milliseconds. */
const successorMsMax = 500;

export class CallsByName {
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #names: Names;
  readonly #handOffs: HandOffs;
  readonly #registrations: Registrations;
  /** Names of replicas, by the name they share. */
  readonly #replicas = new Map<string, Set<string>>();
  /** The latest epoch that answered, by name. */
  readonly #accepted = new Map<string, number>();
  readonly #lines = new WaitingLines();

  constructor(options: {
    readonly kernel: Kernel;
    readonly names: Names;
    readonly handOffs: HandOffs;
    readonly registrations: Registrations;
  }) {
    this.#kernel = options.kernel;
    this.#clock = options.kernel.clock;
    this.#random = options.kernel.random;
    this.#names = options.names;
    this.#handOffs = options.handOffs;
    this.#registrations = options.registrations;
    this.#names.observeAll((name) => this.#keepReplica(name));
  }

  /** The process that answers to a name, here or on another node; of replicas, any. No network. */
  whereis(target: Target): Pid | undefined {
    if (target instanceof Pid) return target;
    if (typeof target !== "string") return target.via.whereis(target.name);
    return this.#kernel.whereis(target) ?? this.#pick(target)?.pid;
  }

  /** Whom to call now; without a pid, somebody is to have the name soon. */
  #resolve(target: Target): Callee | undefined {
    const pid = typeof target === "string" ? this.#kernel.whereis(target) : this.whereis(target);
    if (pid !== undefined) return { pid };
    return typeof target === "string" ? this.#pick(target) : undefined;
  }

  /** As `ClusterNode.call`. */
  async call(
    target: Target,
    method: string,
    args: readonly unknown[],
    options: NodeCallOptions = {},
  ): Promise<unknown> {
    const { timeoutMs = callTimeoutMsDefault } = options;
    const label = labelOf(target);
    const deadline = this.#clock.now() + timeoutMs;
    const ticket = this.#lines.takeTicket();
    let place: Place | undefined; // Most calls never wait, and need none.
    let failure: CallError | undefined;
    let goneMs: number | undefined;
    try {
      while (true) {
        const leftMs = deadline - this.#clock.now();
        const entry = this.#resolve(target);
        if (entry === undefined) {
          goneMs ??= this.#clock.now();
          const isHopeless = this.#clock.now() >= goneMs + successorMsMax || leftMs <= 0;
          if (failure === undefined || isHopeless) throw failure ?? noSuchName(label);
          await this.#newsOf(label, undefined, Math.min(retryEveryMs, leftMs));
          continue;
        }
        goneMs = undefined;
        if (leftMs <= 0) throw failure ?? startingStill(label, method, timeoutMs);
        if (failure !== undefined && this.#mustGiveUp(label, place!)) throw failure;
        const isTurn = place === undefined ? this.#lines.isEmpty(label) : place.isFirst();
        if (entry.pid !== undefined && isTurn && this.#mayGo(target, entry, place)) {
          const isOrdered = isOneName(target, entry);
          let mayHaveRun = true;
          if (isOrdered) this.#lines.went(label, ticket, entry.pid);
          try {
            const answer = this.#kernel.call(entry.pid, method, args, { timeoutMs: leftMs, label });
            place?.leave(); // It is on its way: the next one may follow.
            const value = await answer;
            if (this.#mayAccept(entry)) return value;
            throw deposed(label, method);
          } catch (thrown) {
            if (!(thrown instanceof CallError)) throw thrown;
            mayHaveRun = thrown.executed !== "no";
            if (!mayRetry(thrown) || target instanceof Pid) {
              Error.captureStackTrace(thrown); // Whose call it was, rather than where the kernel noticed.
              throw thrown;
            }
            failure = thrown;
            place = this.#enter(label, ticket, true);
          } finally {
            if (isOrdered) this.#lines.settled(label, ticket, mayHaveRun);
          }
          // Being first is no news: those who fail at once must not send each other round without a pause.
          await this.#newsOf(label, undefined, Math.min(retryEveryMs, leftMs));
          continue;
        }
        place ??= this.#enter(label, ticket, false);
        await this.#newsOf(label, place, Math.min(retryEveryMs, leftMs));
      }
    } finally {
      place?.leave();
    }
  }

  /** Sends a request that nobody waits for. It is lost if nobody holds the name. */
  cast(target: Target, method: string, args: readonly unknown[]): void {
    if (typeof target === "string" && this.#handOffs.hold(target, method, args)) return;
    const pid = this.whereis(target);
    if (pid !== undefined) this.#kernel.cast(pid, method, args);
  }

  /** The entry of the name; of replicas, that of one which runs, chosen at random. */
  #pick(name: string): NameEntry | undefined {
    const replicas = this.#replicas.get(name);
    if (replicas === undefined) return this.#names.get(name);
    const entries = [...replicas].map((each) => this.#names.get(each)!);
    const running = entries.filter(({ pid }) => pid !== undefined);
    const alive = running.filter((entry) => this.#names.isOwned(entry.name));
    const best = [alive, running, entries].find(({ length }) => length > 0);
    return best?.[this.#random.u32() % best.length];
  }

  #enter(label: string, ticket: number, hasReturned: boolean): Place {
    const place = this.#lines.create(label, ticket, { hasReturned, nowMs: this.#clock.now() });
    place.enter();
    return place;
  }

  /** Whether the process may be asked, and this call would overtake none. */
  #mayGo(target: Target, entry: Callee, place: Place | undefined): boolean {
    if (this.#mustWait(target)) return false;
    if (!isOneName(target, entry) || this.#lines.mayGo(target, entry.pid!, place)) return true;
    return place !== undefined && !place.hasReturned && this.#hasWaited(place);
  }

  /** Whether a call that came back is not to be sent again: one that was made after it may have run (C3). */
  #mustGiveUp(label: string, place: Place): boolean {
    if (this.#lines.isOvertaken(label, place.ticket)) return true;
    return this.#lines.isFollowed(label, place.ticket) && this.#hasWaited(place);
  }

  #hasWaited({ enteredMs }: Place): boolean {
    return this.#clock.now() - enteredMs > orderWaitMsMax;
  }

  /** Whether the process is being handed over, or its name given up. */
  #mustWait(target: Target): boolean {
    if (typeof target !== "string") return false;
    return this.#handOffs.isHeld(target) || this.#registrations.isGivenUp(target);
  }

  /** Whether an answer counts: not that of an owner who was replaced, before or after it answered. */
  #mayAccept({ name, epoch }: Callee): boolean {
    if (name === undefined || epoch === undefined) return true;
    if (this.#registrations.isGivenUp(name)) return false;
    if ((this.#accepted.get(name) ?? 0) > epoch) return false;
    this.#accepted.set(name, epoch);
    return true;
  }

  #keepReplica(name: string): void {
    if (this.#names.get(name) === undefined) this.#accepted.delete(name);
    const base = /^(.+)#[1-9][0-9]*$/.exec(name)?.[1];
    if (base === undefined) return;
    const replicas = this.#replicas.get(base) ?? new Set();
    if (this.#names.get(name) === undefined) replicas.delete(name);
    else replicas.add(name);
    if (replicas.size > 0) this.#replicas.set(base, replicas);
    else this.#replicas.delete(base);
  }

  /** Waits until a name changes, at most so long. */
  async #newsOf(name: string, place: Place | undefined, atMostMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.#names.observe(name, resolve);
    const stopTimer = this.#clock.after(atMostMs, resolve);
    if (place !== undefined) place.onFirst = resolve;
    await promise;
    stop();
    stopTimer();
  }
}

/** Whether calls to it are kept in order: not those to a process itself, nor to any of some replicas. */
function isOneName(target: Target, { name }: Callee): target is string {
  return typeof target === "string" && (name === undefined || name === target);
}

function labelOf(target: Target): string {
  if (target instanceof Pid) return target.toString();
  return typeof target === "string" ? target : target.name;
}

/** What certainly did not run because the process was not there. */
function mayRetry({ code, executed }: CallError): boolean {
  return executed === "no" && (code === "noproc" || code === "noconnection" || code === "exited");
}

function startingStill(name: string, method: string, timeoutMs: number): CallError {
  const message = `${name}.${method}: no process took the name within ${timeoutMs} ms`;
  return new CallError({ code: "timeout", executed: "no", message });
}

function deposed(name: string, method: string): CallError {
  const message = `${name}.${method}: the process lost the name while it answered`;
  return new CallError({ code: "noconnection", executed: "maybe", message });
}
