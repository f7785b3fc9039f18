/**
 * One exported function, ready to be called: how its arguments are checked and its result is given its documented form.
 *
 * @module
 */
import { BadArgumentError } from "./errors.ts";
import type { CallTarget } from "./function-paths.ts";
import { type Codec, codecOf, type HandleContext } from "./value-codec.ts";
import { ValueFault } from "./value-fault.ts";
import { signatureOf } from "./wit-signature.ts";
import {
  camelCase,
  containsResource,
  pascalCase,
  roleOf,
  type WitField,
  type WitFunction,
  type WitResource,
} from "./wit-type.ts";

/** Calls jco's code. */
export type Run = (args: readonly unknown[]) => unknown;

export class ExportPlan {
  /** What it is called in errors. */
  readonly path: string;
  /** Whether handles are among its arguments or in its result. */
  readonly usesHandles: boolean;
  readonly #target: CallTarget;
  readonly #params: readonly { readonly name: string; readonly codec: Codec }[];
  readonly #ok: Codec | undefined;
  readonly #err: Codec | undefined;

  constructor(target: CallTarget) {
    this.path = target.path;
    this.#target = target;
    const params = target.type === "drop" ? [selfOf(target.resource)] : target.function.params;
    const result = target.type === "drop" ? undefined : target.function.result;
    const types = params.map(({ type }) => type);
    this.usesHandles = [...types, ...(result ? [result] : [])].some(containsResource);
    this.#params = params.map(({ name, type }) => ({ name, codec: codecOf(type) }));
    const [ok, err] = result?.kind === "result" ? [result.ok, result.err] : [result, undefined];
    this.#ok = ok && codecOf(ok);
    this.#err = err && codecOf(err);
  }

  /** @throws {BadArgumentError} with the path of the fault. */
  lowered(args: readonly unknown[], handles: HandleContext): unknown[] {
    const params = this.#params;
    if (args.length !== params.length) throw this.#wrongCount(args.length);
    const lowered: unknown[] = [];
    let index = 0;
    try {
      for (; index < params.length; index += 1)
        lowered.push(params[index]!.codec.lower(args[index], handles));
    } catch (thrown) {
      if (!(thrown instanceof ValueFault)) throw thrown;
      const where = `${this.path} argument ${index + 1}, ${params[index]!.name}${thrown.path}`;
      throw new BadArgumentError(`${where}: ${thrown.what}`);
    }
    return lowered;
  }

  liftedOk(value: unknown, handles: HandleContext): unknown {
    if (this.#ok === undefined) return undefined;
    return this.#ok.lift === undefined ? value : this.#ok.lift(value, handles);
  }

  liftedErr(payload: unknown, handles: HandleContext): unknown {
    if (this.#err === undefined) return undefined;
    return this.#err.lift === undefined ? payload : this.#err.lift(payload, handles);
  }

  /** The function among jco's exports; undefined if it is not there. */
  find(exports: Readonly<Record<string, unknown>>): Run | undefined {
    const target = this.#target;
    if (target.type === "drop")
      return ([object]) => (object as { readonly [Symbol.dispose]: () => void })[Symbol.dispose]();
    const owner = target.function.interface;
    const holder = (owner === undefined ? exports : exports[owner]) as Holder | undefined;
    return holder && find(holder, target.function);
  }

  #wrongCount(got: number): BadArgumentError {
    const { length } = this.#params;
    const count = `${length} ${length === 1 ? "argument" : "arguments"}`;
    const target = this.#target;
    const signature = target.type === "drop" ? "" : `: ${signatureOf(target.function)}`;
    return new BadArgumentError(`${this.path} takes ${count}, got ${got}${signature}`);
  }
}

type Holder = Readonly<Record<string, unknown>>;
type AnyFunction = (...args: unknown[]) => unknown;

function find(holder: Holder, target: WitFunction): Run | undefined {
  const role = roleOf(target.name);
  if (role.type === "function") return call(holder[camelCase(role.name)]);
  const made = holder[pascalCase(role.resource)] as
    | (Holder & { readonly prototype: Holder })
    | undefined;
  if (made === undefined) return undefined;
  if (role.type === "constructor") return call(made["$construct"], made);
  if (role.type === "static") return call(made[camelCase(role.name)], made);
  const method = made.prototype[camelCase(role.name)] as AnyFunction;
  return ([self, ...args]) => Reflect.apply(method, self, args);
}

function call(run: unknown, self?: unknown): Run | undefined {
  if (typeof run !== "function") return undefined;
  return (args) => Reflect.apply(run, self, args);
}

function selfOf(resource: WitResource): WitField {
  return { name: "handle", type: { kind: "own", resource } };
}
