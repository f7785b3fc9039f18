/**
 * The scheduler of one thread: which guest runs, for how long, and when the event loop gets its turn.
 *
 * Guests share the thread as processes of the BEAM share a scheduler: each runs for a slice and waits while the others
 * run. They wait on a promise inside WebAssembly (JSPI), so nothing of theirs is unwound.
 *
 * Invariants:
 *   S1. A guest is entered and resumed only through here, so its time is counted and its turn is limited.
 *   S2. One turn of the event loop lasts as long as `turnMsMax` and one slice, at most; then sockets and timers have theirs.
 *   S3. Whatever waits here is settled or killed: `kill` leaves nothing waiting.
 *
 * What is not ours to interrupt: host functions, and one instruction (a fill of a whole memory).
 *
 * @module
 */
import { type Clock, systemClock } from "@coppice/kernel";
import { createGate, type Gate, gateAnswer } from "@coppice/meter";
import { TooManyCallsError, TooManyInstancesError } from "./errors.ts";
import { Guest, type GuestOptions } from "./guest.ts";
import { ReadyQueue } from "./ready-queue.ts";
import { decide, levelOf, nextFuel, turnMsMax } from "./slice-policy.ts";
import { limitStacks } from "./stack-flags.ts";

/** Most instances of a thread, and of a node. Each memory reserves 8 GiB of address space: a process has room for 16 000. */
export const instancesMaxDefault = 15_000;
/** Most calls in progress on a thread. Each holds a stack in two mappings; V8 ends the process near 32 000 of them. */
export const callsMaxDefault = 8_000;

export interface SchedulerOptions {
  readonly clock: Clock;
  /** Default: 15_000. */
  readonly instancesMax?: number;
  /** Default: 8_000. */
  readonly callsMax?: number;
}

let ofThread: Scheduler | undefined;

/** The one that instances of this thread share unless they are given another; by the machine's clock. */
export function schedulerOfThread(): Scheduler {
  ofThread ??= new Scheduler({ clock: systemClock });
  return ofThread;
}

/** Work that waits for its turn. */
interface Ready {
  readonly guest: Guest;
  readonly go: () => void;
  /** It was cut short by the end of a turn. */
  readonly keepsSlice?: boolean;
}

export class Scheduler {
  readonly gate: Gate;
  readonly #clock: Clock;
  readonly #instancesMax: number;
  readonly #callsMax: number;
  readonly #guests = new Map<number, Guest>();
  readonly #ready = new ReadyQueue<Ready>();
  #lastOwner = 0;
  #calls = 0;
  #running: Guest | undefined;
  /** Since when its time has not been counted. */
  #since = 0;
  /** When this turn of the event loop began for guests; undefined before the first one runs in it. */
  #turnStartedAt: number | undefined;
  #draining = false;
  /** Whether the guest that is about to wait keeps its slice. */
  #pausing = false;

  constructor(options: SchedulerOptions) {
    limitStacks();
    this.#clock = options.clock;
    this.#instancesMax = options.instancesMax ?? instancesMaxDefault;
    this.#callsMax = options.callsMax ?? callsMaxDefault;
    this.gate = createGate({
      check: (owner) => this.#check(this.#guests.get(owner)),
      suspend: (owner) => this.#suspend(this.#guests.get(owner)),
    });
  }

  /** A place for one instance. @throws {TooManyInstancesError} if there is none. */
  open(options: GuestOptions): Guest {
    if (this.#guests.size >= this.#instancesMax)
      throw new TooManyInstancesError(this.#instancesMax);
    this.#lastOwner += 1;
    const guest = new Guest(this, this.#lastOwner, options);
    this.#guests.set(guest.owner, guest);
    return guest;
  }

  /** For {@link Guest}: its instance is gone. */
  closed(guest: Guest): void {
    this.#guests.delete(guest.owner);
  }

  get instances(): number {
    return this.#guests.size;
  }

  /** For {@link Guest}. @throws {TooManyCallsError} if as many calls are in progress as may be. */
  callStarted(): void {
    if (this.#calls >= this.#callsMax) throw new TooManyCallsError(this.#callsMax);
    this.#calls += 1;
  }

  /** For {@link Guest}. */
  callEnded(): void {
    this.#calls -= 1;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Whether a guest may run now. Otherwise it has to wait its turn. */
  hasRoom(): boolean {
    const now = this.#clock.now();
    if (this.#turnStartedAt === undefined) {
      this.#turnStartedAt = now;
      this.#clock.soon(this.#nextTurn);
      return true;
    }
    return now - this.#turnStartedAt < turnMsMax;
  }

  /** Runs `go`, which resumes `guest`: now, or when its turn comes. */
  whenReady(guest: Guest, go: () => void): void {
    const level = levelOf(guest.callMs);
    if (this.hasRoom() && (level === "short" || this.#ready.length === 0))
      this.#dispatch({ guest, go }, this.#afterDirect);
    else this.#ready.push(level, { guest, go });
  }

  /**
   * Runs `enter` as the guest's own time and returns what it returns: when the guest waits for the first time, or at its end.
   */
  enter<T>(guest: Guest, enter: () => T): T {
    const before = this.#switchTo(guest);
    try {
      return enter();
    } finally {
      this.#switchTo(before);
    }
  }

  /** Counts the time until now for whoever ran, and from now on for `guest`. */
  #switchTo(guest: Guest | undefined): Guest | undefined {
    const now = this.#clock.now();
    const before = this.#running;
    if (before !== undefined) {
      const ms = now - this.#since;
      this.#ready.ran(levelOf(before.callMs), ms);
      before.used(ms);
    }
    this.#running = guest;
    this.#since = now;
    return before;
  }

  /** The guest called the host: from now on its time is not its own. */
  left(): void {
    this.#switchTo(undefined);
  }

  #check(guest: Guest | undefined): number {
    if (guest === undefined) return gateAnswer.kill;
    // Whoever asks is whoever runs, also where a promise resumed it behind our back.
    if (this.#running !== guest) this.#running = guest;
    this.#switchTo(guest);
    const turnUsedUp = !this.hasRoom();
    const decision = decide(guest.use({ turnUsedUp, othersWait: this.#ready.length > 0 }));
    switch (decision) {
      case "go_on":
        return guest.refuel(nextFuel);
      case "yield":
      case "pause":
        this.#pausing = decision === "pause";
        return gateAnswer.suspend;
      default:
        guest.exceeded(decision);
        return gateAnswer.kill;
    }
  }

  #suspend(guest: Guest | undefined): Promise<number> {
    if (guest === undefined) return Promise.resolve(gateAnswer.kill);
    this.left();
    const keepsSlice = this.#pausing;
    return new Promise((resolve) => {
      guest.waits(resolve);
      const go = (): void => guest.resume(resolve, guest.refuel(nextFuel));
      const ready: Ready = { guest, keepsSlice, go };
      const level = levelOf(guest.callMs);
      if (keepsSlice) this.#ready.unshift(level, ready);
      else this.#ready.push(level, ready);
    });
  }

  readonly #nextTurn = (): void => {
    if (this.#ready.length === 0) {
      this.#turnStartedAt = undefined;
      return;
    }
    this.#turnStartedAt = this.#clock.now();
    this.#clock.soon(this.#nextTurn);
    this.#drain();
  };

  /** Runs what is ready, one guest after the other, until the turn is used up. */
  #drain(): void {
    if (this.#draining || !this.hasRoom()) return;
    const next = this.#ready.shift();
    if (next === undefined) return;
    this.#draining = true;
    this.#dispatch(next, this.#afterDrained);
  }

  /**
   * Resumes a guest. It runs in a microtask, which stands in the queue when `go` returns: `after` stands behind it, so
   * it runs when the guest waits again or has ended.
   */
  #dispatch({ guest, go, keepsSlice = false }: Ready, after: () => void): void {
    this.#switchTo(guest);
    if (!keepsSlice) guest.sliceStarts();
    go();
    queueMicrotask(after);
  }

  readonly #afterDirect = (): void => {
    this.#switchTo(undefined);
    this.#drain();
  };

  readonly #afterDrained = (): void => {
    this.#draining = false;
    this.#afterDirect();
  };
}
