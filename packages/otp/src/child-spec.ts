/**
 * Child specifications: how a supervisor starts, restarts and stops a child (C2).
 *
 * @module
 */
import { CoppiceError, type Kernel, type SpawnOptions, type StartResult } from "@coppice/kernel";
import { startGenServer } from "./gen-server-process.ts";
import type { GenServerClass } from "./gen-server.ts";
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
  /** Whether its end may end the supervisor: see `autoShutdown` (C9). Default: false. */
  readonly significant?: boolean;
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

const restarts: ReadonlySet<unknown> = new Set(["permanent", "transient", "temporary"]);
const types: ReadonlySet<unknown> = new Set(["worker", "supervisor"]);

/** @throws {ChildSpecError} saying which child and what is wrong with it (C2.2). */
export function checkChildSpec(spec: ChildSpec, mayBeSignificant: boolean): void {
  const { id, start, shutdownMs = 0, restart = "permanent", type = "worker", significant } = spec;
  const wrong = (what: string): never => {
    throw new ChildSpecError(`child ${String(id)}: ${what}`);
  };
  if (typeof id !== "string" || id === "")
    throw new ChildSpecError("a child specification needs an id: a non-empty string");
  if (typeof start !== "function" && !(Array.isArray(start) && typeof start[0] === "function"))
    wrong("start must be a function or [GenServerClass, ...args]");
  if (!restarts.has(restart)) wrong("restart must be permanent, transient or temporary");
  if (!types.has(type)) wrong("type must be worker or supervisor");
  if (typeof shutdownMs !== "number" || Number.isNaN(shutdownMs) || shutdownMs < 0)
    wrong("shutdownMs must be 0 or more, or Infinity");
  if (significant === true && restart === "permanent")
    wrong(
      "a significant child must be transient or temporary: a permanent one never ends for good",
    );
  if (significant === true && !mayBeSignificant)
    wrong("a significant child needs a supervisor whose autoShutdown is not never");
}

/** @throws {ChildSpecError} as {@link checkChildSpec}, or if two children have one id. */
export function checkChildSpecs(specs: readonly ChildSpec[], mayBeSignificant: boolean): void {
  const ids = new Set<string>();
  for (const spec of specs) {
    checkChildSpec(spec, mayBeSignificant);
    if (ids.has(spec.id))
      throw new ChildSpecError(`two children have the id ${spec.id}: ids must differ`);
    ids.add(spec.id);
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
