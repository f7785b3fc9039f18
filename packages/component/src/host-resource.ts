/**
 * A resource the host provides: a class of the user, wrapped in the class jco expects.
 *
 * The guest's handle stands for an instance of the user's class. When the guest drops an owned handle, the instance's
 * `Symbol.dispose` is called.
 *
 * @module
 */
import { MissingImportError } from "./errors.ts";
import { type HostCalls, hostFunction, type ImportPlan } from "./host-call.ts";
import type { HandleContext } from "./value-codec.ts";
import { fullName, signatureOf } from "./wit-signature.ts";
import { camelCase, roleOf, type WitResource } from "./wit-type.ts";

/** A class of the host for an imported resource. */
export type HostClass = new (...args: never[]) => object;

/** One resource of one instance. */
export interface HostResource {
  /** The class to give to jco. */
  readonly jcoClass: unknown;
  /** What the user's class is called, for errors. */
  readonly className: string;
  readonly accepts: (value: unknown) => boolean;
  readonly wrap: (value: unknown) => object;
  /** The user's object; undefined for what is not of this resource. */
  readonly unwrap: (object: unknown) => unknown;
}

interface Wrapper {
  readonly target: Record<string | symbol, unknown>;
}

type AnyFunction = (...args: unknown[]) => unknown;

/** @throws {MissingImportError} if the class lacks a method of the resource. */
export function boundResource(options: {
  readonly source: string;
  readonly resource: WitResource;
  readonly hostClass: HostClass;
  readonly functions: readonly ImportPlan[];
  readonly calls: HostCalls;
  readonly handles: HandleContext;
}): HostResource {
  const { source, resource, hostClass, functions, calls, handles } = options;
  let construct: AnyFunction | undefined;
  // jco makes instances with `new`, which may return an object of its own choice: a wrapper.
  const jcoClass = function (...args: unknown[]): unknown {
    return construct?.(...args);
  };
  const prototype = jcoClass.prototype as Record<string | symbol, unknown>;
  const wrap = (target: unknown): object =>
    Object.assign(Object.create(prototype) as object, { target });
  for (const plan of functions) {
    const role = roleOf(plan.target.name);
    if (role.type === "constructor") {
      const make = (args: readonly unknown[]): unknown => Reflect.construct(hostClass, [...args]);
      construct = hostFunction(plan, make, calls, handles);
    } else if (role.type !== "function") {
      const isMethod = role.type === "method";
      const holder = (isMethod ? hostClass.prototype : hostClass) as Record<string, unknown>;
      const key = [camelCase(role.name), role.name].find(
        (name) => typeof holder[name] === "function",
      );
      if (key === undefined)
        throw new MissingImportError(source, fullName(plan.target), signatureOf(plan.target));
      const invoke = (args: readonly unknown[], self: unknown): unknown => {
        const target = isMethod
          ? (self as Wrapper).target
          : (hostClass as unknown as Wrapper["target"]);
        return Reflect.apply(target[key] as AnyFunction, target, args);
      };
      const wrapped = hostFunction(plan, invoke, calls, handles, isMethod ? 1 : 0);
      if (isMethod) prototype[camelCase(role.name)] = wrapped;
      else (jcoClass as unknown as Record<string, unknown>)[camelCase(role.name)] = wrapped;
    }
  }
  prototype[Symbol.dispose] = function (this: Wrapper): void {
    const dispose = this.target[Symbol.dispose];
    try {
      if (typeof dispose === "function") Reflect.apply(dispose, this.target, []);
    } catch (thrown) {
      throw calls.die(thrown);
    }
  };
  return {
    jcoClass,
    className: hostClass.name || resource.name,
    accepts: (value) => value instanceof hostClass,
    wrap,
    unwrap: (object) =>
      object instanceof jcoClass ? (object as unknown as Wrapper).target : undefined,
  };
}
