/**
 * Dynamic supervisors: children that come and go, started one by one, without ids and without an order (C11).
 *
 * @module
 */
import { type Kernel, type Pid, type SpawnOptions, type StartResult } from "@coppice/kernel";
import type { ChildEnvironment, ChildSpec } from "./child-spec.ts";
import { DynamicSupervisorProcess } from "./dynamic-supervisor-process.ts";
import { manage, supervisorOptions } from "./management-request.ts";
import { localNames } from "./names.ts";
import {
  checkIntensity,
  type RestartIntensity,
  restartIntensityDefault,
} from "./restart-intensity.ts";
import type { ChildCounts, ChildRow } from "./supervisor-calls.ts";

/** How a dynamic supervisor works. All children share one restart history: with many, allow more, or partition (C11.5). */
export interface DynamicSupervisorOptions extends Partial<RestartIntensity> {
  /** The most children, those that are being restarted included. Default: no limit but memory. */
  readonly maxChildren?: number;
}

/** A child of a dynamic supervisor: it needs no id, and cannot be significant. */
export type DynamicChildSpec = Omit<ChildSpec, "id" | "significant"> & { readonly id?: string };

/** How starting a child ended. */
export type DynamicStart = StartResult | { readonly type: "max_children" };

/** Starts a dynamic supervisor without children. @throws {RangeError} if an option makes no sense. */
export async function startDynamicSupervisor(
  kernel: Kernel,
  options: DynamicSupervisorOptions = {},
  spawnOptions: SpawnOptions = {},
  environment: ChildEnvironment = { kernel, names: localNames },
): Promise<StartResult> {
  const intensity: RestartIntensity = {
    maxRestarts: options.maxRestarts ?? restartIntensityDefault.maxRestarts,
    maxSeconds: options.maxSeconds ?? restartIntensityDefault.maxSeconds,
  };
  checkIntensity(intensity);
  const { maxChildren = Infinity } = options;
  if (!(maxChildren >= 0) || (maxChildren !== Infinity && !Number.isInteger(maxChildren)))
    throw new RangeError(`maxChildren must be a whole number, 0 or more, not ${maxChildren}`);
  const process = new DynamicSupervisorProcess(intensity, maxChildren, environment);
  return kernel.start(process, { ...supervisorOptions, ...spawnOptions, trapExit: true });
}

/**
 * A dynamic supervisor as a child of another supervisor. After a restart it has no children (C8.4). Its `name` is local, on a
 * cluster too: each node has its own, and manages its own.
 */
export function dynamicSupervisor(
  spec: Omit<ChildSpec, "start" | "type" | "prepare"> & DynamicSupervisorOptions,
): ChildSpec {
  const { name, maxRestarts, maxSeconds, maxChildren, ...child } = spec;
  const options: DynamicSupervisorOptions = {
    ...(maxRestarts === undefined ? {} : { maxRestarts }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    ...(maxChildren === undefined ? {} : { maxChildren }),
  };
  return {
    ...child,
    type: "supervisor",
    start: (spawnOptions, environment) =>
      startDynamicSupervisor(
        environment.kernel,
        options,
        name === undefined ? spawnOptions : { ...spawnOptions, name },
        environment,
      ),
  };
}

/** Managing a dynamic supervisor of this node. On one that has ended, all throw a `CallError` with `noproc`. */
export class DynamicSupervisorRef {
  readonly #kernel: Kernel;
  readonly #supervisor: Pid | string;

  constructor(kernel: Kernel, supervisor: Pid | string) {
    this.#kernel = kernel;
    this.#supervisor = supervisor;
  }

  /**
   * Starts a child (C11.2).
   *
   * @throws {CallError} with `bad_argument` if the specification cannot be used.
   */
  startChild(spec: DynamicChildSpec): Promise<DynamicStart> {
    return this.#call("startChild", spec) as Promise<DynamicStart>;
  }

  /** Stops a child for good. One that is being restarted is known by its last pid (C11.4). */
  terminateChild(pid: Pid): Promise<"ok" | "not_found"> {
    return this.#call("terminateChild", pid) as Promise<"ok" | "not_found">;
  }

  /** In the order they were started. */
  whichChildren(): Promise<readonly ChildRow[]> {
    return this.#call("whichChildren") as Promise<readonly ChildRow[]>;
  }

  /** How many there are, and how many of them run. */
  countChildren(): Promise<ChildCounts> {
    return this.#call("countChildren") as Promise<ChildCounts>;
  }

  /** Stops all children at the same time, and ends the supervisor with `normal`. Resolves when it has ended. */
  async stop(): Promise<void> {
    await this.#call("stop");
  }

  #call(method: string, about?: unknown): Promise<unknown> {
    return manage(this.#kernel, this.#supervisor, method, about);
  }
}
