/**
 * One instance of a component: calls go in, traps come out, and after a trap nothing enters again.
 *
 * Invariants:
 *   I1. One call at a time: jco does not guard a component against being entered again.
 *   I2. No value enters or leaves unchecked.
 *   I3. A call settles, also when jco forgets it: the instance's death settles it.
 *
 * @module
 */
import type { CompiledComponent } from "./compile.ts";
import {
  InstanceBusyError,
  InstanceDeadError,
  MissingImportError,
  TrapError,
  UnknownFunctionError,
  WitError,
} from "./errors.ts";
import { GuestOutput } from "./guest-output.ts";
import { sandboxedWasi } from "./sandbox.ts";
import type { Guest } from "./scheduler/guest.ts";
import { cpuLimitsOf } from "./scheduler/limits.ts";
import type { Scheduler } from "./scheduler/scheduler.ts";
import { checked, checkedArguments } from "./validate.ts";
import { camelCase, type WitFunction } from "./wit-type.ts";

/** A function of the host. It may be async: the guest waits, other processes run. */
export type HostFunction = (...args: never[]) => unknown;

/** An instance, on this thread or another. */
export interface Instance {
  /** See {@link ComponentInstance.call}. */
  readonly call: (name: string, args: readonly unknown[]) => Promise<unknown>;
  /** How many calls it takes before the first has ended. They run in order, one at a time. */
  readonly callsAtOnce: number;
  /** See {@link ComponentInstance.die}. */
  readonly die: (thrown: unknown) => Error;
  /** Processor time it has used, in milliseconds. */
  readonly cpuMs: number;
}

/** What an instance is made with. */
export interface InstanceOptions {
  /** The scheduler of this thread. */
  readonly scheduler: Scheduler;
  /** By WIT name, in kebab-case or camelCase. */
  readonly imports: Readonly<Record<string, HostFunction>>;
  /** Every line the guest writes. */
  readonly onOutput: (stream: "stdout" | "stderr", line: string) => void;
}

/**
 * @throws {MissingImportError} if the host does not give a function the component imports.
 * @throws {TooManyInstancesError} if the thread has as many instances as it may.
 */
export async function instantiate(
  compiled: CompiledComponent,
  options: InstanceOptions,
): Promise<ComponentInstance> {
  const instance = new ComponentInstance(compiled, options);
  try {
    await instance.load(compiled, options);
  } catch (thrown) {
    instance.die(thrown); // Gives its place back.
    throw thrown;
  }
  return instance;
}

export class ComponentInstance implements Instance {
  readonly callsAtOnce = 1;
  /** See `CompiledArtifact.digest`. */
  readonly digest: string;
  readonly #functions: ReadonlyMap<string, WitFunction>;
  readonly #stdout: GuestOutput;
  readonly #stderr: GuestOutput;
  readonly #guest: Guest;
  /** Fails what is in progress: jco itself may never settle it. A new one each time, or every call would stay on its list. */
  #fail: ((error: Error) => void) | undefined;
  #exports: Readonly<Record<string, unknown>> = {};
  #running: string | undefined;
  #cause: Error | undefined;

  constructor(
    { world, artifact: { limits, digest } }: CompiledComponent,
    { onOutput, scheduler }: InstanceOptions,
  ) {
    this.digest = digest;
    this.#guest = scheduler.open({
      limits: cpuLimitsOf(limits),
      onKilled: (error) => void this.die(error),
    });
    const named = world.exports.flatMap((each) => [
      [each.name, each] as const,
      [camelCase(each.name), each] as const,
    ]);
    this.#functions = new Map(named);
    this.#stdout = new GuestOutput((line) => onOutput("stdout", line));
    this.#stderr = new GuestOutput((line) => onOutput("stderr", line));
  }

  /** For {@link instantiate}. */
  async load(compiled: CompiledComponent, options: InstanceOptions): Promise<void> {
    const imports: Record<string, unknown> = sandboxedWasi(this.#stdout, this.#stderr);
    for (const wanted of compiled.world.imports) {
      const host = options.imports[wanted.name] ?? options.imports[camelCase(wanted.name)];
      if (host === undefined)
        throw new MissingImportError(compiled.path, wanted.name, wanted.signature);
      imports[wanted.name] = { default: this.#hostCall(wanted, host) };
    }
    for (const name of compiled.world.importedInterfaces)
      if (imports[name] === undefined)
        throw new MissingImportError(compiled.path, name, "interface");
    this.#running = "instantiation";
    try {
      this.#exports = await this.#orDeath(compiled.instantiate(imports, this.#guest));
    } catch (thrown) {
      throw this.die(thrown);
    } finally {
      this.#running = undefined;
    }
  }

  /**
   * Calls an exported function by its WIT name. The `ok` of a `result` is returned, its `err` thrown.
   *
   * @throws {UnknownFunctionError} {BadArgumentError} {InstanceBusyError} {InstanceDeadError} without having run.
   * @throws {TooManyCallsError} if the thread has as many calls in progress as it may: it did not run.
   * @throws {WitError} if the function answered `err`.
   * @throws {TrapError} if the guest trapped: the instance is dead.
   */
  async call(name: string, args: readonly unknown[]): Promise<unknown> {
    const target = this.#functions.get(name);
    if (target === undefined) {
      const known = [...new Set(this.#functions.values())].map((each) => each.name);
      throw new UnknownFunctionError(name, known);
    }
    const checkedArgs = checkedArguments(target, args);
    if (this.#cause !== undefined) throw new InstanceDeadError({ cause: this.#cause });
    if (this.#running !== undefined) throw new InstanceBusyError(this.#running);
    this.#guest.callStarts();
    this.#running = target.name;
    try {
      const run = this.#exports[camelCase(target.name)] as (...each: unknown[]) => Promise<unknown>;
      return await this.#orDeath(run(...checkedArgs));
    } catch (thrown) {
      if (isComponentError(thrown)) throw new WitError(thrown.payload, { cause: thrown });
      throw this.die(thrown);
    } finally {
      this.#running = undefined;
      this.#guest.callEnds();
    }
  }

  get dead(): boolean {
    return this.#cause !== undefined;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** How many resources it holds. */
  get openHandles(): number {
    return this.#guest.openHandles;
  }

  /** What its core instances export, also what metering added; for snapshots. */
  get cores(): readonly WebAssembly.Exports[] {
    return this.#guest.cores;
  }

  get cpuMs(): number {
    return this.#guest.cpuMs;
  }

  /** Ends the instance: a call that runs fails with what is returned, and nothing is let in or out afterwards. */
  die(thrown: unknown): Error {
    if (this.#cause !== undefined) return this.#cause;
    // Of a guest that was stopped, the trap that stopped it says nothing.
    const why = this.#guest.killed ?? thrown;
    const cause = why instanceof Error ? why : new Error(String(why));
    const details = { function: this.#running ?? "?", stderr: this.#stderr.lines() };
    this.#cause = new TrapError(cause.message, details, { cause });
    this.#fail?.(this.#cause);
    this.#guest.kill(this.#cause);
    return this.#cause;
  }

  /** What `work` comes to, unless the instance dies first. */
  #orDeath<T>(work: T | Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#fail = reject;
    Promise.resolve(work).then(resolve, reject);
    return promise;
  }

  #hostCall(wanted: WitFunction, host: HostFunction): (...args: unknown[]) => Promise<unknown> {
    const { name, result } = wanted;
    const ok = result?.kind === "result" ? result.ok : result;
    return async (...args) => {
      if (this.#cause !== undefined) throw this.#cause;
      try {
        const value = await (host as (...each: unknown[]) => unknown)(...args);
        return ok === undefined ? undefined : checked(ok, value, `what ${name} returned`);
      } catch (thrown) {
        if (thrown instanceof WitError && result?.kind === "result") {
          const { err } = result;
          const payload =
            err === undefined ? undefined : checked(err, thrown.payload, `the err of ${name}`);
          throw new WitError(payload, { cause: thrown });
        }
        // Not the guest's business: the whole call fails, and jco may never settle it (I3).
        throw this.die(thrown);
      }
    };
  }
}

/** jco's own class for the `err` of a result; it is made anew in every emitted script. */
function isComponentError(thrown: unknown): thrown is Error & { readonly payload: unknown } {
  return (
    thrown instanceof Error &&
    thrown.constructor.name === "ComponentError" &&
    Object.hasOwn(thrown, "payload")
  );
}
