/**
 * One call of a guest to its host: arguments are given their documented form, and what comes back is checked.
 *
 * Whatever goes wrong here other than a {@link WitError} ends the instance: the guest cannot be told.
 *
 * @module
 */
import { ImportResultError, WitError } from "./errors.ts";
import { type Codec, codecOf, type HandleContext } from "./value-codec.ts";
import { ValueFault } from "./value-fault.ts";
import { fullName } from "./wit-signature.ts";
import type { WitFunction } from "./wit-type.ts";

/** What an instance does about calls to its host. */
export interface HostCalls {
  /**
   * Begins a call, whose arguments have left the guest.
   *
   * @throws {Error} if the instance has ended: nothing of the host runs for it any more.
   */
  readonly begin: () => void;
  /** Waits for a promise of the host, for as long as the instance lives and its imports may take. */
  readonly wait: (what: string, promise: PromiseLike<unknown>) => Promise<unknown>;
  /** Ends the instance. Returns what to throw. */
  readonly die: (thrown: unknown) => Error;
}

/** How the values of one imported function are converted. */
export class ImportPlan {
  readonly target: WitFunction;
  readonly name: string;
  readonly #params: readonly Codec[];
  readonly #lifts: boolean;
  readonly #ok: Codec | undefined;
  readonly #err: Codec | undefined;
  readonly #hasErr: boolean;

  constructor(target: WitFunction) {
    const { params, result } = target;
    this.target = target;
    this.name = fullName(target);
    this.#params = params.map(({ type }) => codecOf(type));
    this.#lifts = this.#params.some(({ lift }) => lift !== undefined);
    this.#hasErr = result?.kind === "result";
    const ok = result?.kind === "result" ? result.ok : result;
    const err = result?.kind === "result" ? result.err : undefined;
    this.#ok = ok && codecOf(ok);
    this.#err = err && codecOf(err);
  }

  /** The arguments from `first` on. */
  lifted(args: readonly unknown[], handles: HandleContext, first: number): readonly unknown[] {
    if (!this.#lifts) return args;
    return args.map((arg, index) => {
      const { lift } = this.#params[index + first]!;
      return lift === undefined ? arg : lift(arg, handles);
    });
  }

  /** @throws {ImportResultError} */
  loweredOk(value: unknown, handles: HandleContext): unknown {
    if (this.#ok === undefined) return undefined;
    return this.#lowered(this.#ok, value, handles, `what ${this.name} returned`);
  }

  /** The error to throw into jco for a {@link WitError}; undefined if the function has no `err` to answer with. */
  loweredErr(thrown: unknown, handles: HandleContext): WitError | undefined {
    if (!this.#hasErr || !(thrown instanceof WitError)) return undefined;
    if (this.#err === undefined) return new WitError(undefined, { cause: thrown });
    const payload = this.#lowered(this.#err, thrown.payload, handles, `the err of ${this.name}`);
    return new WitError(payload, { cause: thrown });
  }

  #lowered(codec: Codec, value: unknown, handles: HandleContext, what: string): unknown {
    try {
      return codec.lower(value, handles);
    } catch (thrown) {
      if (!(thrown instanceof ValueFault)) throw thrown;
      throw new ImportResultError(`${what}${thrown.path}: ${thrown.what}`);
    }
  }
}

/** The function to give to jco for one of the host's. `first` parameters are not among the arguments jco passes. */
export function hostFunction(
  plan: ImportPlan,
  invoke: (args: readonly unknown[], self: unknown) => unknown,
  calls: HostCalls,
  handles: HandleContext,
  first = 0,
): (this: unknown, ...args: unknown[]) => unknown {
  const failed = (thrown: unknown): Error => {
    try {
      return plan.loweredErr(thrown, handles) ?? calls.die(thrown);
    } catch (fault) {
      return calls.die(fault);
    }
  };
  const answered = (value: unknown): unknown => {
    try {
      return plan.loweredOk(value, handles);
    } catch (thrown) {
      throw calls.die(thrown);
    }
  };
  return function (...args) {
    calls.begin();
    let value: unknown;
    try {
      value = invoke(plan.lifted(args, handles, first), this);
    } catch (thrown) {
      throw failed(thrown);
    }
    if (!isPromise(value)) return answered(value);
    return calls.wait(plan.name, value).then(answered, (thrown: unknown) => {
      throw failed(thrown);
    });
  };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function"
  );
}
