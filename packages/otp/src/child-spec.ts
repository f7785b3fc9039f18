/**
 * Child specifications: how a supervisor starts, restarts and stops a child (C2).
 *
 * @module
 */
import {
  CoppiceError,
  type Kernel,
  kill,
  nameLengthMax,
  type SpawnOptions,
  type StartResult,
} from "@coppice/kernel";
import { startGenServer } from "./gen-server-process.ts";
import type { GenServer, GenServerClass } from "./gen-server.ts";
import type { Names } from "./names.ts";
import type { Restart } from "./restart-policy.ts";

/** What a child is started in. */
export interface ChildEnvironment {
  readonly kernel: Kernel;
  readonly names: Names;
}

/**
 * Starts a child's process with the options given: it must be linked as they say. Returns once it is ready. What it throws
 * or rejects with is why the start failed; a process that has ended by then did start, and is restarted or not as any other.
 */
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
  /**
   * How long it may take to start, in milliseconds, before it is killed and the start has failed. Default: 300_000, and
   * `Infinity` for a supervisor.
   */
  readonly startMs?: number;
  /** Default: `worker`. */
  readonly type?: "worker" | "supervisor";
  /** Whether its end may end the supervisor: see `autoShutdown` (C9). Default: false. */
  readonly significant?: boolean;
}

/** How long a worker may take to stop, in milliseconds. */
export const shutdownMsDefault = 5_000;

/** How long a worker may take to start, in milliseconds: a component that has never been compiled takes a while. */
export const startMsDefault = 300_000;

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
  if (typeof spec !== "object" || spec === null)
    throw new ChildSpecError(`a child specification is an object, not ${String(spec)}`);
  const { id, start, name, prepare, shutdownMs = 0, startMs = 0, significant = false } = spec;
  const { restart = "permanent", type = "worker" } = spec;
  const wrong = (what: string): never => {
    throw new ChildSpecError(`child ${String(id)}: ${what}`);
  };
  if (typeof id !== "string" || id === "")
    throw new ChildSpecError("a child specification needs an id: a non-empty string");
  if (typeof start !== "function" && !(Array.isArray(start) && typeof start[0] === "function"))
    wrong("start must be a function or [GenServerClass, ...args]");
  if (name !== undefined && !isName(name))
    wrong(`name must be a text of 1 to ${nameLengthMax} characters`);
  if (prepare !== undefined && typeof prepare !== "function") wrong("prepare must be a function");
  if (!restarts.has(restart)) wrong("restart must be permanent, transient or temporary");
  if (!types.has(type)) wrong("type must be worker or supervisor");
  if (!isTime(shutdownMs)) wrong("shutdownMs must be 0 or more, or Infinity");
  if (!isTime(startMs)) wrong("startMs must be 0 or more, or Infinity");
  if (typeof significant !== "boolean") wrong("significant must be true or false");
  if (significant && restart === "permanent")
    wrong(
      "a significant child must be transient or temporary: a permanent one never ends for good",
    );
  if (significant && !mayBeSignificant)
    wrong("a significant child needs a supervisor whose autoShutdown is not never");
}

function isName(name: unknown): boolean {
  return typeof name === "string" && name !== "" && name.length <= nameLengthMax;
}

function isTime(ms: unknown): boolean {
  return typeof ms === "number" && ms >= 0;
}

/** @throws {ChildSpecError} as {@link checkChildSpec}, or if there is no list, or two children have one id. */
export function checkChildSpecs(specs: readonly ChildSpec[], mayBeSignificant: boolean): void {
  if (!Array.isArray(specs)) throw new ChildSpecError("children must be a list of specifications");
  const ids = new Set<string>();
  for (const spec of specs) {
    checkChildSpec(spec, mayBeSignificant);
    if (ids.has(spec.id))
      throw new ChildSpecError(`two children have the id ${spec.id}: ids must differ`);
    ids.add(spec.id);
  }
}

/**
 * Starts the child's process, under its name if it has one. Rejects if its `start` throws. A start that takes longer than
 * `startMs` has failed; a process that it brings up later is killed.
 */
export function startChildProcess(
  spec: ChildSpec,
  options: SpawnOptions,
  environment: ChildEnvironment,
): Promise<StartResult> {
  const startMs = spec.startMs ?? (spec.type === "supervisor" ? Infinity : startMsDefault);
  const labelled = { ...options, label: spec.name ?? spec.id };
  const code: StartChild =
    typeof spec.start === "function" ? spec.start : genServerStart(spec.start);
  // The kernel is told as well, so that a process that hangs in its `start` is killed and not only given up.
  const start = (given: SpawnOptions): Promise<StartResult> =>
    code(startMs === Infinity ? given : { ...given, startMs }, environment);
  const starting =
    spec.name === undefined
      ? start(labelled)
      : environment.names.startNamed(spec.name, {
          options: labelled,
          start,
          prepare: async () => spec.prepare?.(environment),
        });
  return startMs === Infinity ? starting : withinTime(starting, startMs, environment.kernel);
}

async function withinTime(
  starting: Promise<StartResult>,
  startMs: number,
  kernel: Kernel,
): Promise<StartResult> {
  const timeUp = Promise.withResolvers<StartResult>();
  const cancel = kernel.clock.after(startMs, () => {
    const value = { type: "start_timeout", startMs };
    timeUp.resolve({ type: "failed", reason: { type: "exit", value } });
    starting.then(
      (late) => late.type === "started" && kernel.exit(late.pid, kill),
      () => {}, // It failed late: that it failed is known.
    );
  });
  try {
    return await Promise.race([starting, timeUp.promise]);
  } finally {
    cancel();
  }
}

/** What {@link childSpec} takes beside the class and its arguments. */
export type ChildOverrides = Partial<Omit<ChildSpec, "start" | "prepare">>;

const overridable: ReadonlySet<string> = new Set([
  "id",
  "name",
  "restart",
  "shutdownMs",
  "startMs",
  "type",
  "significant",
]);

/**
 * The child specification of a gen-server (B3.9): its id is the name of its class. The arguments are those of its constructor,
 * checked by the compiler.
 *
 * @throws {ChildSpecError} if there is an override of something else (C2.2).
 */
export function childSpec<Args extends unknown[]>(
  serverClass: new (...args: Args) => GenServer,
  args: Args,
  overrides: ChildOverrides = {},
): ChildSpec {
  for (const key of Object.keys(overrides))
    if (!overridable.has(key))
      throw new ChildSpecError(`${serverClass.name}: there is no ${key} to override`);
  return { id: serverClass.name, start: [serverClass, ...args], ...overrides };
}

function genServerStart([serverClass, ...args]: readonly [
  GenServerClass,
  ...args: unknown[],
]): StartChild {
  return (options, { kernel }) => startGenServer(kernel, new serverClass(...args), options);
}
