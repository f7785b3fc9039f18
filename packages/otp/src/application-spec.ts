/**
 * What an application is: a named unit with dependencies, a tree of children, and plain data to configure it.
 *
 * @module
 */
import { assertPlainData, type Kernel } from "@coppice/kernel";
import { ApplicationSpecError } from "./application-errors.ts";
import type { SupervisorOptions } from "./supervisor.ts";

/** What the callbacks of an application are given. The same object from its start to its stop. */
export interface ApplicationContext<E = Readonly<Record<string, unknown>>> {
  readonly kernel: Kernel;
  readonly name: string;
  /** Its own environment, overridden by what {@link Applications} was given. */
  readonly environment: Readonly<E>;
}

/** An application. */
export interface ApplicationSpec<E extends object = any> {
  readonly name: string;
  /** The applications that must run before it starts. Default: none. */
  readonly dependencies?: readonly string[];
  /** Its configuration, plain data. Default: empty. */
  readonly environment?: E;
  /** Returns what it supervises; the tree is started from that. A throw is a failed start. */
  readonly start: (
    context: ApplicationContext<E>,
  ) => SupervisorOptions | Promise<SupervisorOptions>;
  /** Run one after another when its tree runs; it counts as started after the last. A throw is a failed start. */
  readonly startPhases?: readonly ((context: ApplicationContext<E>) => void | Promise<void>)[];
  /** Runs before its tree is stopped, not when it ends by itself. */
  readonly prepStop?: (context: ApplicationContext<E>) => void | Promise<void>;
  /** Runs when its tree has ended, in whatever way, also when the tree or a phase failed to start. */
  readonly stop?: (context: ApplicationContext<E>) => void | Promise<void>;
  /** How long its tree may take to stop before it is killed, in milliseconds. Default: `Infinity`, as any supervisor. */
  readonly shutdownMs?: number;
}

/** An application whose environment's type is inferred. */
export function defineApplication<E extends object = {}>(
  spec: ApplicationSpec<E>,
): ApplicationSpec<E> {
  return spec;
}

/**
 * @throws {ApplicationSpecError} if a specification cannot be used, or two have one name.
 * @throws {NotPlainDataError} if an environment is not plain data.
 */
export function checkApplications(
  specs: readonly ApplicationSpec[],
): ReadonlyMap<string, ApplicationSpec> {
  const byName = new Map<string, ApplicationSpec>();
  for (const spec of specs) {
    const { name, start, environment, shutdownMs = 0 } = spec;
    if (typeof name !== "string" || name === "")
      throw new ApplicationSpecError("an application needs a name: a non-empty string");
    if (typeof start !== "function")
      throw new ApplicationSpecError(`application ${name}: start must be a function`);
    if (typeof shutdownMs !== "number" || Number.isNaN(shutdownMs) || shutdownMs < 0)
      throw new ApplicationSpecError(`application ${name}: shutdownMs must be 0 or more`);
    if (byName.has(name)) throw new ApplicationSpecError(`two applications are named ${name}`);
    assertPlainData(environment, `environment of ${name}`);
    byName.set(name, spec);
  }
  return byName;
}
