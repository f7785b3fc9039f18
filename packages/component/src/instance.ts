/**
 * One instance of a component: calls go in, traps come out, and after a trap nothing enters again.
 *
 * Invariants:
 *   I1. One call at a time: jco does not guard a component against being entered again.
 *   I2. No value enters unchecked, neither an argument nor what an import returned.
 *   I3. A call settles, also when jco forgets it: the instance's death settles it.
 *   I4. A promise of the host is waited for no longer than `importMs`, and never beyond the instance's death.
 *   I5. What leaves the guest at once is counted and limited, however little memory it has.
 *
 * @module
 */
import {
  type Clock,
  ExitError,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from "@coppice/kernel";
import type { CompiledComponent } from "./compile.ts";
import { argumentSizes, guestStack } from "./crash-report.ts";
import {
  ImportTimeoutError,
  InstanceBusyError,
  InstanceDeadError,
  PayloadLimitError,
  TrapError,
  UnknownFunctionError,
  WitError,
} from "./errors.ts";
import { ExportPlan, type Run } from "./export-plan.ts";
import type { FunctionPaths } from "./function-paths.ts";
import { CallHandles, HandleState } from "./handle-state.ts";
import type { HostCalls } from "./host-call.ts";
import { BoundImports, type HostImports } from "./host-imports.ts";
import type { Guest } from "./scheduler/guest.ts";
import { checkLimits, cpuLimitsOf, type CpuOptions } from "./scheduler/limits.ts";
import { type Scheduler, schedulerOfThread } from "./scheduler/scheduler.ts";
import { refuseUnlessIdle, restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import { SnapshotRefusedError } from "./snapshot-errors.ts";
import type { HandleContext } from "./value-codec.ts";
import { GuestExitError } from "./wasi/wasi-errors.ts";
import { createWasi, type Wasi, type WasiHost, type WasiOptions } from "./wasi/wasi.ts";
import type { WitResource } from "./wit-type.ts";

/** How long a function of the host may take to settle unless the component says otherwise, in milliseconds. */
export const importMsDefault = 30_000;

/** How much may leave a guest at once unless the component says otherwise, in bytes. */
export const payloadBytesDefault = 16 << 20;

/** An instance, on this thread or another. */
export interface Instance {
  /** See {@link ComponentInstance.call}. */
  readonly call: (path: string, args: readonly unknown[]) => Promise<unknown>;
  /** How many calls it takes before the first has ended. They run in order, one at a time. */
  readonly callsAtOnce: number;
  /** See {@link ComponentInstance.die}. */
  readonly die: (thrown: unknown) => Error;
  /** See {@link ComponentInstance.save}. */
  readonly save: () => Promise<Uint8Array>;
  /** See {@link ComponentInstance.load}. */
  readonly load: (snapshot: Uint8Array) => void | Promise<void>;
  /** How many handles of its resources are live. */
  readonly handles: number;
  /** Processor time it has used, in milliseconds. */
  readonly cpuMs: number;
}

/** What an instance is made with. */
export interface InstanceOptions extends CpuOptions {
  /** What the component imports, by WIT name. */
  readonly imports: HostImports;
  /** Every line the guest writes. */
  readonly onOutput: (stream: "stdout" | "stderr", line: string) => void;
  /** What its handles say they belong to: unique among all instances. Default: `instance`. */
  readonly owner?: string;
  /** How long a function of the host may take to settle, in milliseconds. Default: 30_000. */
  readonly importMs?: number;
  /** How many bytes of its memory the guest may refer to in one result, or in the arguments of one import. Default: 16 MiB. */
  readonly payloadBytes?: number;
  /** What it may have of its host through WASI. Default: nothing. */
  readonly wasi?: WasiOptions;
  /** Where the host names it asks WASI for are resolved. Default: the machine's resolver. */
  readonly resolve?: WasiHost["resolve"];
  /** What lets it run and limits its time. Default: one that all such instances of this thread share. */
  readonly scheduler?: Scheduler;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the machine's. */
  readonly random?: Random;
  /** Where it is said what it was denied. Default: nowhere. */
  readonly logger?: Logger;
}

/**
 * @throws {MissingImportError} if the host does not give something the component imports.
 * @throws {WasiOptionError} if its `wasi` options make no sense.
 * @throws {GuestExitError} if it ends itself while it starts.
 * @throws {RangeError} if a limit is no number, or out of range.
 * @throws {TooManyInstancesError} if the thread has as many instances as it may.
 * @throws {TrapError} caused by a {@link NoAddressSpaceError} if the process cannot reserve its memory.
 */
export async function instantiate(
  compiled: CompiledComponent,
  options: InstanceOptions,
): Promise<ComponentInstance> {
  return open(compiled, options, true);
}

/** `mayCallHost`: whether functions of the host are there for it; one that calls any without is dead. */
async function open(
  compiled: CompiledComponent,
  options: InstanceOptions,
  mayCallHost: boolean,
): Promise<ComponentInstance> {
  const quiet = { ...options, onOutput: () => {} };
  const instance = new ComponentInstance(compiled, options, () => open(compiled, quiet, false));
  try {
    await instance.begin(compiled, options, mayCallHost);
  } catch (thrown) {
    instance.die(thrown); // Gives back its place and what was opened for it.
    await instance.released();
    throw thrown;
  }
  return instance;
}

/** A call in progress. */
interface Running {
  readonly path: string;
  readonly args: readonly unknown[];
  readonly reject: (cause: Error) => void;
}

interface Callable {
  readonly plan: ExportPlan;
  readonly run: Run;
}

export class ComponentInstance implements Instance {
  readonly callsAtOnce = 1;
  /** See `CompiledArtifact.digest`. */
  readonly digest: string;
  readonly #another: () => Promise<ComponentInstance>;
  readonly #guest: Guest;
  readonly #paths: FunctionPaths;
  readonly #plans = new Map<string, Callable>();
  readonly #handles: HandleState;
  readonly #clock: Clock;
  readonly #importMs: number;
  readonly #payloadBytes: number;
  #payloadLeft: number;
  /** What rejects the promises of the host that are waited for. */
  readonly #waits = new Set<(cause: Error) => void>();
  #wasi: Wasi | undefined;
  #disposed: Promise<void> | undefined;
  #bound: BoundImports | undefined;
  #exports: Readonly<Record<string, unknown>> = {};
  #running: Running | undefined;
  #cause: Error | undefined;

  /** For {@link instantiate}. `another` makes one like it that was never called, and cannot call its host. */
  constructor(
    compiled: CompiledComponent,
    options: InstanceOptions,
    another: () => Promise<ComponentInstance>,
  ) {
    checkLimits(options);
    this.#another = another;
    const {
      owner = "instance",
      scheduler = schedulerOfThread(),
      importMs = importMsDefault,
      payloadBytes = payloadBytesDefault,
      clock = systemClock,
    } = options;
    this.digest = compiled.digest;
    this.#guest = scheduler.open({
      limits: cpuLimitsOf(options),
      onKilled: (error) => void this.die(error),
    });
    this.#paths = compiled.paths;
    this.#handles = new HandleState(owner);
    this.#clock = clock;
    this.#importMs = importMs;
    this.#payloadBytes = payloadBytes;
    this.#payloadLeft = payloadBytes;
  }

  /** How many handles of its resources are live. */
  get handles(): number {
    return this.#handles.size;
  }

  get dead(): boolean {
    return this.#cause !== undefined;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** How many resources it holds, or others of it. */
  get openHandles(): number {
    return Math.max(this.#handles.size, this.#guest.openHandles);
  }

  /** What its core instances export, also what metering added; for snapshots. */
  get cores(): readonly WebAssembly.Exports[] {
    return this.#guest.cores;
  }

  get cpuMs(): number {
    return this.#guest.cpuMs;
  }

  /** For {@link instantiate}. */
  async begin(
    compiled: CompiledComponent,
    options: InstanceOptions,
    mayCallHost: boolean,
  ): Promise<void> {
    const usesWasi = compiled.world.importedInterfaces.some(({ name }) => name.startsWith("wasi:"));
    const sandbox = usesWasi ? await this.#sandbox(options) : {};
    const calls: HostCalls = {
      begin: () => {
        if (this.#cause !== undefined) throw this.#cause;
        if (!mayCallHost) throw this.die(new Error("it calls its host while it starts"));
      },
      wait: (what, promise) => this.#wait(what, promise),
      die: (thrown) => this.die(thrown),
    };
    this.#bound = new BoundImports({
      source: compiled.source,
      world: compiled.world,
      given: options.imports,
      sandbox,
      calls,
    });
    const { object } = this.#bound;
    object["$charge"] = (bytes?: number) => this.#charge(bytes);
    this.#exports = await this.#run(
      "its start",
      [],
      () => compiled.instantiate(object, undefined, this.#guest.webAssembly),
      (exports) => exports as Record<string, unknown>,
      (payload) => payload,
    );
  }

  /**
   * Calls an exported function by one of its paths. The `ok` of a `result` is returned, its `err` thrown.
   *
   * @throws {UnknownFunctionError} {BadArgumentError} {InstanceBusyError} {InstanceDeadError} without having run.
   * @throws {TooManyCallsError} if the thread has as many calls in progress as it may: it did not run.
   * @throws {WitError} if the function answered `err`.
   * @throws {TrapError} if the guest trapped, or a function of the host failed under it: the instance is dead.
   * @throws {GuestExitError} if the guest ended itself: the instance is dead.
   */
  call(path: string, args: readonly unknown[]): Promise<unknown> {
    try {
      return this.#call(this.#plans.get(path) ?? this.#plan(path), args);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  #call({ plan, run }: Callable, args: readonly unknown[]): Promise<unknown> {
    const taken = plan.usesHandles ? new CallHandles(this.#handles) : undefined;
    const handles = taken === undefined ? noHandles : this.#context(taken);
    const lowered = plan.lowered(args, handles);
    if (this.#cause !== undefined) throw new InstanceDeadError({ cause: this.#cause });
    if (this.#running !== undefined) throw new InstanceBusyError(this.#running.path);
    this.#guest.callStarts();
    taken?.commit();
    this.#payloadLeft = this.#payloadBytes;
    return this.#run(
      plan.path,
      args,
      () => run(lowered),
      (value) => plan.liftedOk(value, handles),
      (payload) => plan.liftedErr(payload, handles),
    );
  }

  /**
   * What it has become, as bytes, from which an instance of the same component that was never called takes it up.
   *
   * @throws {SnapshotRefusedError} if it is in a state that cannot be saved, or one like it cannot be started to compare.
   */
  async save(): Promise<Uint8Array> {
    refuseUnlessIdle(this);
    let fresh: ComponentInstance;
    try {
      fresh = await this.#another();
    } catch (cause) {
      const why = `another to compare it with does not start: ${(cause as Error).message}`;
      throw new SnapshotRefusedError(why, { cause });
    }
    try {
      return takeSnapshot(this, fresh);
    } finally {
      fresh.die(new ExitError({ type: "killed" }));
      await fresh.released();
    }
  }

  /**
   * Becomes what was saved.
   *
   * @throws {SnapshotMismatchError} if it was called before, or the bytes are of another component: then nothing changes.
   */
  load(snapshot: Uint8Array): void {
    restoreSnapshot(this, snapshot);
  }

  /** Resolves when nothing that the guest held of its host is open any more; at once while it lives. */
  async released(): Promise<void> {
    await this.#disposed;
  }

  /** Ends the instance: a call that runs fails with what is returned, and nothing is let in or out afterwards. */
  die(thrown: unknown): Error {
    if (this.#cause !== undefined) return this.#cause;
    // Of a guest that was stopped, the trap that stopped it says nothing.
    const why = this.#guest.killed ?? thrown;
    const cause = why instanceof Error ? why : new Error(String(why));
    const { path = "between calls", args = [] } = this.#running ?? {};
    const details = {
      function: path,
      arguments: argumentSizes(args),
      stack: guestStack(cause),
      stderr: this.#wasi?.stderrTail() ?? [],
    };
    this.#cause =
      cause instanceof GuestExitError ? cause : new TrapError(cause.message, details, { cause });
    for (const reject of this.#waits) reject(this.#cause);
    this.#waits.clear();
    this.#running?.reject(this.#cause);
    this.#guest.kill(this.#cause);
    this.#disposed = this.#wasi?.dispose();
    return this.#cause;
  }

  /** Opens what the guest may have of its host. @throws {Error} the death of the instance, if it came meanwhile. */
  async #sandbox(options: InstanceOptions): Promise<Wasi["imports"]> {
    const { random = systemRandom, logger = silentLogger, onOutput, resolve, wasi = {} } = options;
    const opened = await createWasi(wasi, {
      clock: this.#clock,
      random,
      logger,
      onOutput,
      onExit: (error) => void this.die(error),
      ...(resolve === undefined ? {} : { resolve }),
    });
    if (this.#cause !== undefined) {
      await opened.dispose();
      throw this.#cause;
    }
    this.#wasi = opened;
    return opened.imports;
  }

  /**
   * Runs guest code until it settles or the instance dies: whatever it throws but an `err` is its death. Without promises
   * of its own in between, since every call pays for them.
   */
  #run<T>(
    path: string,
    args: readonly unknown[],
    run: () => unknown,
    lifted: (value: unknown) => T,
    liftedErr: (payload: unknown) => unknown,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const running = { path, args, reject };
      const failed = (thrown: unknown): void => {
        let cause: Error;
        try {
          cause = isComponentError(thrown)
            ? new WitError(liftedErr(thrown.payload), { cause: thrown })
            : this.die(thrown);
        } catch (fault) {
          cause = this.die(fault);
        }
        this.#settled(running);
        reject(cause);
      };
      const returned = (value: unknown): void => {
        let result: T;
        try {
          result = lifted(value);
        } catch (fault) {
          failed(fault);
          return;
        }
        this.#settled(running);
        resolve(result);
      };
      this.#running = running;
      try {
        void Promise.resolve(run()).then(returned, failed);
      } catch (thrown) {
        failed(thrown);
      }
    });
  }

  #settled(running: Running): void {
    if (this.#running !== running) return;
    this.#running = undefined;
    this.#guest.callEnds();
  }

  #context(taken: CallHandles): HandleContext {
    return {
      lower: (kind, resource, value) => this.#taken(taken, kind, resource, value),
      lift: (_kind, resource, object) => this.#handles.add(resource, object),
    };
  }

  #plan(path: string): Callable {
    const plan = new ExportPlan(this.#paths.find(path));
    const run = plan.find(this.#exports);
    if (run === undefined)
      throw new UnknownFunctionError(path, `${plan.path} is declared, but jco does not offer it`);
    const made = { plan, run };
    this.#plans.set(path, made);
    return made;
  }

  /** The object of a handle a call takes; of the host's own resources also an instance of their class is taken. */
  #taken(
    taken: CallHandles,
    kind: "own" | "borrow",
    resource: WitResource,
    value: unknown,
  ): unknown {
    if (resource.madeBy === "host" && this.#bound!.accepts(resource, value))
      return this.#bound!.wrap(resource, value);
    return taken.take(kind, resource, value);
  }

  /**
   * Counts what leaves the guest, whose results may refer to the same memory any number of times. Without `bytes` the
   * count begins anew.
   */
  #charge(bytes?: number): void {
    if (bytes === undefined) this.#payloadLeft = this.#payloadBytes;
    else this.#payloadLeft -= bytes;
    if (this.#payloadLeft < 0) throw this.die(new PayloadLimitError(this.#payloadBytes));
  }

  #wait(what: string, promise: PromiseLike<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(this.#importMs, () =>
        this.die(new ImportTimeoutError(what, this.#importMs)),
      );
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          cancel();
          this.#waits.delete(rejected);
          then(value);
        };
      const rejected = settle(reject);
      this.#waits.add(rejected);
      promise.then(settle(resolve), rejected);
    });
  }
}

/** For functions that take and give no handles. */
const noHandles: HandleContext = {
  lower: (_kind, { name }) => {
    throw new TypeError(`a handle of ${name} was not expected`);
  },
  lift: (_kind, { name }) => {
    throw new TypeError(`a handle of ${name} was not expected`);
  },
};

/** jco's own class for the `err` of a result; it is made anew in every emitted script. */
function isComponentError(thrown: unknown): thrown is Error & { readonly payload: unknown } {
  return (
    thrown instanceof Error &&
    thrown.constructor.name === "ComponentError" &&
    Object.hasOwn(thrown, "payload")
  );
}
