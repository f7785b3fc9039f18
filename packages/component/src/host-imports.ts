/**
 * What the host gives to a component: functions, interfaces and classes of resources, found, checked and wrapped for jco.
 *
 * A function may be given under its name, or in an object under the name of its interface, with or without version:
 * `{ "publish-message": fn, "example:shop/logging@1.2.0": { flush: fn, Logger: class } }`. An object under the name of a
 * package may hold its interfaces: `{ "example:shop": { logging: { flush: fn } } }`. Names may be in camelCase.
 *
 * @module
 */
import { MissingImportError } from "./errors.ts";
import { type HostCalls, hostFunction, ImportPlan } from "./host-call.ts";
import { boundResource, type HostClass, type HostResource } from "./host-resource.ts";
import { expected } from "./value-fault.ts";
import type { HandleContext } from "./value-codec.ts";
import { fullName, signatureOf } from "./wit-signature.ts";
import {
  camelCase,
  importKeys,
  pascalCase,
  roleOf,
  type WitFunction,
  type WitInterface,
  type WitResource,
  type WitWorld,
  withoutVersion,
} from "./wit-type.ts";

/** A function of the host. It may be async: the guest waits, other processes run. */
export type HostFunction = (...args: never[]) => unknown;

/** What the host gives, by WIT name: functions, or objects of functions and classes for interfaces. */
export type HostImports = Readonly<Record<string, HostImport>>;

export type HostImport = HostFunction | HostClass | { readonly [name: string]: HostImport };

/** The imports of one instance. */
export class BoundImports {
  /** What jco's script is given. */
  readonly object: Record<string, unknown> = {};
  /** For the functions of the host itself. */
  readonly handles: HandleContext;
  readonly #resources = new Map<string, HostResource>();
  readonly #source: string;
  readonly #calls: HostCalls;

  /**
   * @param given what the user passed.
   * @param sandbox what is there without asking, in jco's form: WASI.
   * @throws {MissingImportError} if the host does not give what the component imports.
   */
  constructor(options: {
    readonly source: string;
    readonly world: WitWorld;
    readonly given: HostImports;
    readonly sandbox: Readonly<Record<string, unknown>>;
    readonly calls: HostCalls;
  }) {
    const { source, world, given, sandbox, calls } = options;
    this.#source = source;
    this.#calls = calls;
    this.handles = {
      lower: (_kind, resource, value) => this.wrap(resource, value),
      lift: (_kind, resource, object) => this.#resourceOf(resource)?.unwrap(object) ?? object,
    };
    for (const wanted of world.imports) {
      const run = given[wanted.name] ?? given[camelCase(wanted.name)];
      this.object[wanted.name] = { default: this.#function(wanted, run, undefined) };
    }
    const keys = importKeys(world);
    for (const wanted of world.importedInterfaces) {
      const bare = withoutVersion(wanted.name);
      const offered = (sandbox[bare] ?? sandbox[wanted.name]) as object | undefined;
      this.object[keys.get(wanted.name)!] = this.#interface(
        wanted,
        givenInterface(given, wanted.name),
        offered,
      );
    }
  }

  /** jco's object for a value of the host. A resource the sandbox provides passes as it is. @throws {ValueFault} */
  wrap(resource: WitResource, value: unknown): unknown {
    const bound = this.#resourceOf(resource);
    if (bound === undefined) return value;
    if (!bound.accepts(value))
      throw expected(`a ${resource.name} (an instance of ${bound.className})`, value);
    return bound.wrap(value);
  }

  /** Whether a value is an instance of the class the host gave for the resource. */
  accepts(resource: WitResource, value: unknown): boolean {
    return this.#resourceOf(resource)?.accepts(value) ?? false;
  }

  #resourceOf({ interface: owner, name }: WitResource): HostResource | undefined {
    return this.#resources.get(`${owner}#${name}`);
  }

  #interface(
    wanted: WitInterface,
    given: Readonly<Record<string, unknown>> | undefined,
    offered: object | undefined,
  ): object {
    if (given === undefined && offered !== undefined) return offered;
    const bound: Record<string, unknown> = { ...offered };
    for (const resource of wanted.resources) this.#bindResource(resource, wanted, given, bound);
    for (const each of wanted.functions) {
      const role = roleOf(each.name);
      if (role.type !== "function") continue;
      const key = camelCase(role.name);
      const run = given?.[role.name] ?? given?.[key];
      if (run === undefined && bound[key] !== undefined) continue;
      bound[key] = this.#function(each, run, given);
    }
    return bound;
  }

  #bindResource(
    resource: WitResource,
    wanted: WitInterface,
    given: Readonly<Record<string, unknown>> | undefined,
    bound: Record<string, unknown>,
  ): void {
    const { name } = resource;
    const key = pascalCase(name);
    const hostClass = given?.[key] ?? given?.[name] ?? given?.[camelCase(name)];
    if (hostClass === undefined && bound[key] !== undefined) return;
    const functions = wanted.functions.filter((each) => {
      const role = roleOf(each.name);
      return role.type !== "function" && role.resource === name;
    });
    if (typeof hostClass !== "function")
      throw new MissingImportError(
        this.#source,
        `${wanted.name}#${name}`,
        `resource, as a class ${key}`,
      );
    const made = boundResource({
      source: this.#source,
      resource,
      hostClass: hostClass as HostClass,
      functions: functions.map((each) => new ImportPlan(each)),
      calls: this.#calls,
      handles: this.handles,
    });
    this.#resources.set(`${wanted.name}#${name}`, made);
    bound[key] = made.jcoClass;
  }

  #function(wanted: WitFunction, run: unknown, self: unknown): unknown {
    if (typeof run !== "function")
      throw new MissingImportError(this.#source, fullName(wanted), signatureOf(wanted));
    const invoke = (args: readonly unknown[]): unknown => Reflect.apply(run, self, args);
    return hostFunction(new ImportPlan(wanted), invoke, this.#calls, this.handles);
  }
}

/** What was given for an interface: by its name with or without version, flat functions, or under its package. */
export function givenInterface(
  given: HostImports,
  name: string,
): Readonly<Record<string, unknown>> | undefined {
  const bare = withoutVersion(name);
  const [owner = "", local = ""] = bare.split("/");
  const version = name.slice(bare.length);
  const ofPackage = (given[`${owner}${version}`] ?? given[owner]) as
    | Readonly<Record<string, unknown>>
    | undefined;
  const whole = (given[name] ??
    given[bare] ??
    ofPackage?.[local] ??
    ofPackage?.[camelCase(local)]) as Readonly<Record<string, unknown>> | undefined;
  const flat = Object.entries(given).flatMap(([key, value]) =>
    [`${name}#`, `${bare}#`]
      .filter((prefix) => key.startsWith(prefix))
      .map((prefix) => [key.slice(prefix.length), value] as const),
  );
  return flat.length === 0 ? whole : { ...whole, ...Object.fromEntries(flat) };
}
