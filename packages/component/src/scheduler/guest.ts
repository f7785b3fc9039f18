/**
 * One component instance as its scheduler sees it: its core instances, its time, its waits, its end.
 *
 * Invariants:
 *   G1. Every wait is settled exactly once: by its event, or by `kill`.
 *   G2. After `kill` nothing of it goes on: what waits traps or fails, and what runs traps at its next point.
 *
 * @module
 */
import { arm, type ArmedInstance, gateAnswer, reserved } from "@coppice/meter";
import { guestWebAssembly, type GuestWebAssembly, openHandles } from "./core-hooks.ts";
import { CpuLimitError, NoAddressSpaceError } from "./errors.ts";
import type { Scheduler } from "./scheduler.ts";
import {
  type CpuLimits,
  type Decision,
  exceededLimit,
  fuelFirst,
  unsuspendableMsMax,
  type Use,
} from "./slice-policy.ts";

/** What a guest is made with. */
export interface GuestOptions {
  readonly limits: CpuLimits;
  /** Told once, when it is killed: by a limit, or by its owner. */
  readonly onKilled: (error: Error) => void;
}

export class Guest {
  /** What the gate is told. */
  readonly owner: number;
  /** What the component's script is given instead of `WebAssembly`. */
  readonly webAssembly: GuestWebAssembly;
  /** Its metered and unmetered core instances, in the order they were made. */
  readonly cores: WebAssembly.Exports[] = [];
  readonly #scheduler: Scheduler;
  readonly #limits: CpuLimits;
  readonly #onKilled: (error: Error) => void;
  readonly #armed: ArmedInstance[] = [];
  /** What fails the waits in host functions and for a turn. */
  readonly #waits = new Set<(error: Error) => void>();
  /** What resumes its stacks that wait for a slice: one for each task it runs at once. */
  readonly #resumes = new Set<(answer: number) => void>();
  #killed: Error | undefined;
  #inCall = false;
  #callMs = 0;
  #totalMs = 0;
  #sliceMs = 0;
  #sinceFillMs = 0;
  #fuel = fuelFirst;
  /** How many entries from JavaScript are on the stack that cannot wait, and since when. */
  #plainEntries = 0;
  #plainSince = 0;

  constructor(scheduler: Scheduler, owner: number, { limits, onKilled }: GuestOptions) {
    this.#scheduler = scheduler;
    this.owner = owner;
    this.#limits = limits;
    this.#onKilled = onKilled;
    this.webAssembly = guestWebAssembly(this);
  }

  /** Processor time it has used, in milliseconds. */
  get cpuMs(): number {
    return this.#totalMs;
  }

  /** Processor time of the call in progress, in milliseconds. */
  get callMs(): number {
    return this.#callMs;
  }

  /** Why it was killed. */
  get killed(): Error | undefined {
    return this.#killed;
  }

  /** How many resources it holds. */
  get openHandles(): number {
    return openHandles(this.webAssembly.handleTables ?? []);
  }

  /** Begins a call with a budget of its own. @throws {TooManyCallsError} if the thread has as many as it may. */
  callStarts(): void {
    this.#scheduler.callStarted();
    this.#inCall = true;
    this.#callMs = 0;
  }

  callEnds(): void {
    if (!this.#inCall) return;
    this.#inCall = false;
    this.#scheduler.callEnded();
  }

  /** Stops it in the middle of whatever it does. A second time does nothing. */
  kill(error: Error): void {
    if (this.#killed !== undefined) return;
    this.#killed = error;
    for (const armed of this.#armed) armed.setFuel(-1);
    for (const resume of this.#resumes) this.resume(resume, gateAnswer.kill);
    const waits = [...this.#waits];
    this.#waits.clear();
    for (const fail of waits) fail(error);
    this.callEnds();
    this.#scheduler.closed(this);
    this.#onKilled(error);
  }

  /** Instantiates a core module. Runs its start function. */
  instantiateCore(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Exports {
    return this.plainly(() => {
      const { exports } = instanceOf(module, imports);
      this.cores.push(exports);
      if (reserved.fuel in exports) {
        const { gate } = this.#scheduler;
        this.#armed.push(arm(exports, { gate, owner: this.owner, fuel: this.#fuel }));
      }
      return exports;
    });
  }

  /** Runs an entry that cannot wait. */
  plainly<T>(run: () => T): T {
    if (this.#killed !== undefined) throw this.#killed;
    if (this.#plainEntries === 0) this.#plainSince = this.#scheduler.now();
    this.#plainEntries += 1;
    try {
      return this.#scheduler.enter(this, run);
    } finally {
      this.#plainEntries -= 1;
    }
  }

  /** Runs an entry that can wait, when its turn comes. */
  suspendably(run: () => Promise<unknown>): Promise<unknown> {
    if (this.#killed !== undefined) return Promise.reject(this.#killed);
    if (this.#scheduler.hasRoom()) {
      this.sliceStarts();
      return this.#scheduler.enter(this, run);
    }
    const { promise, resolve } = this.#wait<undefined>();
    this.#scheduler.whenReady(this, () => resolve(undefined));
    return promise.then(run);
  }

  /** A host function was called: what the guest gets when that has ended and its own turn has come. */
  hostCall(result: Promise<unknown>): Promise<unknown> {
    this.#scheduler.left();
    // The guest waits for this very promise: with one in between it would resume after its slice was thought to be over.
    const { promise, resolve, reject } = this.#wait<unknown>();
    const settle = (go: () => void): void => {
      const use = { callMs: this.#callMs, totalMs: this.#totalMs, ...this.#limits };
      const limit = exceededLimit(use);
      if (limit === undefined) this.#scheduler.whenReady(this, go);
      else this.exceeded(limit);
    };
    result.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
    return promise;
  }

  /** For {@link Scheduler}: it waits for its next slice. */
  waits(resume: (answer: number) => void): void {
    this.#resumes.add(resume);
  }

  /** For {@link Scheduler}: what waits has its next slice, or its end. Does nothing if it had that. */
  resume(resume: (answer: number) => void, answer: number): void {
    if (this.#resumes.delete(resume)) resume(answer);
  }

  /** For {@link Scheduler}: it ran for so long. */
  used(ms: number): void {
    this.#callMs += ms;
    this.#totalMs += ms;
    this.#sliceMs += ms;
    this.#sinceFillMs += ms;
  }

  /** For {@link Scheduler}: from now on it has a slice of its own. */
  sliceStarts(): void {
    this.#sliceMs = 0;
  }

  /** For {@link Scheduler}: what the decision is made of. */
  use(around: Pick<Use, "othersWait" | "turnUsedUp">): Use {
    return {
      ...around,
      ...this.#limits,
      killed: this.#killed !== undefined,
      callMs: this.#callMs,
      totalMs: this.#totalMs,
      sliceMs: this.#sliceMs,
      unsuspendableMs:
        this.#plainEntries === 0 ? undefined : this.#scheduler.now() - this.#plainSince,
    };
  }

  /** For {@link Scheduler}: the next fill. */
  refuel(next: (fuel: number, tookMs: number) => number): number {
    this.#fuel = next(this.#fuel, this.#sinceFillMs);
    this.#sinceFillMs = 0;
    return this.#fuel;
  }

  /** It did what it may not. */
  exceeded(limit: Exclude<Decision, "go_on" | "yield" | "pause">): void {
    if (limit === "killed") return;
    const limits = {
      cpu_per_call: this.#limits.callMsMax,
      cpu_per_process: this.#limits.totalMsMax,
      unsuspendable: unsuspendableMsMax,
    };
    this.kill(new CpuLimitError(limit, limits[limit]));
  }

  #wait<T>(): PromiseWithResolvers<T> {
    const wait = Promise.withResolvers<T>();
    const { resolve, reject } = wait;
    this.#waits.add(reject);
    return {
      promise: wait.promise,
      resolve: (value) => {
        this.#waits.delete(reject);
        resolve(value);
      },
      reject: (error) => {
        this.#waits.delete(reject);
        reject(error);
      },
    };
  }
}

/** @throws {NoAddressSpaceError} */
function instanceOf(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (cause) {
    // Of a rewritten module no code has run yet: this is not the guest's.
    if (cause instanceof RangeError && cause.message.includes("Cannot allocate Wasm memory"))
      throw new NoAddressSpaceError({ cause });
    throw cause;
  }
}
