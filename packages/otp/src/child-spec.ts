/**
 * Child specifications: how a supervisor starts, restarts and stops a child (C2).
 *
 * @module
 */
import { CoppiceError, type Kernel, type SpawnOptions, type StartResult } from "@coppice/kernel";
import { type GenServerClass, startGenServer } from "./gen-server.ts";
import type { Names } from "./names.ts";
import type { Restart } from "./restart-policy.ts";

/** What a child is started in. */
export interface ChildEnvironment {
  readonly kernel: Kernel;
  readonly names: Names;
}

/** Starts a child's process with the options given: it must be linked as they say. Returns once it is ready. */
export type StartChild = (
  options: SpawnOptions,
  environment: ChildEnvironment,
) => Promise<StartResult>;

/** One child of a supervisor. */
export interface ChildSpec {
  /** Unique among its siblings. */
  readonly id: string;
  /** How it is started: a function, or a gen-server's class with the arguments of its constructor. */
  readonly start: StartChild | readonly [GenServerClass, ...args: unknown[]];
  /** What can be done before it is started, so that a start is quick: a node that may take its name over does it early. */
  readonly prepare?: (environment: ChildEnvironment) => Promise<void>;
  /** The name it is called by. On one node unique on the node; on a cluster node unique in the cluster. */
  readonly name?: string;
  /** Default: `permanent`. */
  readonly restart?: Restart;
  /**
   * How long it may take to stop before it is killed, in milliseconds; 0 kills at once. Default: 5_000, and `Infinity`
   * for a supervisor.
   */
  readonly shutdownMs?: number;
  /** Default: `worker`. */
  readonly type?: "worker" | "supervisor";
}

/** How long a worker may take to stop, in milliseconds. */
export const shutdownMsDefault = 5_000;

/** A child specification that cannot be used. */
export class ChildSpecError extends CoppiceError {
  static {
    this.prototype.name = "ChildSpecError";
  }
  readonly code = "bad_child_spec";
}

/** @throws {ChildSpecError} saying which child and what is wrong with it. */
export function checkChildSpecs(specs: readonly ChildSpec[]): void {
  const ids = new Set<string>();
  for (const { id, shutdownMs = 0, start } of specs) {
    if (typeof id !== "string" || id === "")
      throw new ChildSpecError("a child specification needs an id: a non-empty string");
    if (ids.has(id)) throw new ChildSpecError(`two children have the id ${id}: ids must differ`);
    if (typeof start !== "function" && !Array.isArray(start))
      throw new ChildSpecError(
        `child ${id}: start must be a function or [GenServerClass, ...args]`,
      );
    if (Number.isNaN(shutdownMs) || shutdownMs < 0)
      throw new ChildSpecError(`child ${id}: shutdownMs must be 0 or more, or Infinity`);
    ids.add(id);
  }
}

/** Starts the child's process, under its name if it has one. Never throws: a throw is a failed start. */
export function startChildProcess(
  spec: ChildSpec,
  options: SpawnOptions,
  environment: ChildEnvironment,
): Promise<StartResult> {
  const labelled = { ...options, label: spec.name ?? spec.id };
  const start: StartChild =
    typeof spec.start === "function" ? spec.start : genServerStart(spec.start);
  if (spec.name === undefined) return start(labelled, environment);
  return environment.names.startNamed(spec.name, {
    options: labelled,
    start: (named) => start(named, environment),
    prepare: async () => spec.prepare?.(environment),
  });
}

function genServerStart([serverClass, ...args]: readonly [
  GenServerClass,
  ...args: unknown[],
]): StartChild {
  return (options, { kernel }) => startGenServer(kernel, new serverClass(...args), options);
}
