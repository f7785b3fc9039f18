/**
 * Partition supervisors: one child a partition, so that what would queue up before one process is spread over several (C12).
 *
 * A partition has the local name `<name>/<number>`: {@link partitionFor} gives the one of a key, and is as quick as a name.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { CallError, describeReason, type ExitReason, type Kernel, type Pid } from "@coppice/kernel";
import type { ChildSpec } from "./child-spec.ts";
import { ChildSpecError } from "./child-spec.ts";
import { SupervisorRef } from "./manage-supervisor.ts";
import { localNames } from "./names.ts";
import { partitionOf } from "./partition-policy.ts";
import type { RestartIntensity } from "./restart-intensity.ts";
import { startSupervisor } from "./start-supervisor.ts";

/** The most partitions. */
export const partitionsMax = 65_536;

/** A partition supervisor as a child. */
export interface PartitionSupervisorSpec
  extends Partial<RestartIntensity>, Omit<ChildSpec, "start" | "type" | "name" | "id" | "prepare"> {
  /** Default: `name`. */
  readonly id?: string;
  /** The local name of the supervisor, and the first part of its partitions' names. */
  readonly name: string;
  /** How many. Default: the machine's cores. */
  readonly partitions?: number;
  /** The child of a partition. Its id and name are set by the supervisor. */
  readonly child: (partition: number, partitions: number) => Omit<ChildSpec, "id" | "name">;
}

/** @throws {ChildSpecError} if the name, the number of partitions, or what makes the children is missing or wrong. */
export function partitionSupervisor(spec: PartitionSupervisorSpec): ChildSpec {
  const { name, partitions = availableParallelism(), child: make, ...rest } = spec;
  const { maxRestarts, maxSeconds, ...child } = rest;
  if (typeof name !== "string" || name === "")
    throw new ChildSpecError("a partition supervisor needs a name: a non-empty string");
  if (typeof make !== "function")
    throw new ChildSpecError(
      `${name}: child must be a function that makes the child of a partition`,
    );
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax)
    throw new ChildSpecError(
      `${name}: partitions must be 1 to ${partitionsMax}, not ${partitions}`,
    );
  const children = Array.from({ length: partitions }, (_, number) => ({
    ...make(number, partitions),
    id: String(number),
    name: partitionName(name, number),
  }));
  const options = {
    strategy: "one_for_one",
    children,
    ...(maxRestarts === undefined ? {} : { maxRestarts }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
  } as const;
  return {
    id: name,
    ...child,
    type: "supervisor",
    start: async (spawnOptions, environment) => {
      const result = await startSupervisor(
        environment.kernel,
        options,
        { ...spawnOptions, name },
        { ...environment, names: localNames }, // On a cluster too: each node has its own partitions.
      );
      if (result.type === "started")
        environment.kernel.side.label(result.pid, partitionsLabel, partitions);
      return result;
    },
  };
}

const partitionsLabel = "partitions";

function partitionName(name: string, number: number): string {
  return `${name}/${number}`;
}

/** How many partitions are in use. @throws {CallError} with `noproc` if there is no such supervisor. */
export function countPartitions(kernel: Kernel, name: string): number {
  const pid = kernel.whereis(name);
  const count = pid === undefined ? undefined : kernel.side.labelOf(pid, partitionsLabel);
  if (typeof count !== "number")
    throw new CallError({
      code: "noproc",
      executed: "no",
      message: `no partition supervisor runs as ${name}`,
    });
  return count;
}

/**
 * The local name of the partition a key belongs to: call it, cast to it, send to it.
 *
 * @throws {CallError} with `noproc` if there is no such supervisor.
 * @throws {RangeError} if it has been resized to zero.
 */
export function partitionFor(kernel: Kernel, name: string, key: unknown): string {
  const count = countPartitions(kernel, name);
  if (count === 0) throw new RangeError(`${name} has zero partitions: resize it first`);
  return partitionName(name, partitionOf(key, count));
}

/** The pids of the partitions that run, in order. */
export function whichPartitions(kernel: Kernel, name: string): (Pid | undefined)[] {
  return Array.from({ length: countPartitions(kernel, name) }, (_, number) =>
    kernel.whereis(partitionName(name, number)),
  );
}

/**
 * Stops partitions from the end, or starts them again. Returns how many were in use before.
 *
 * @throws {RangeError} unless `partitions` is between 0 and the number it was started with.
 * @throws {CallError} with `noproc` if there is no such supervisor; with `failed` if a partition does not start again: those
 *   before it are in use then.
 */
export async function resizePartitions(
  kernel: Kernel,
  name: string,
  partitions: number,
): Promise<number> {
  const before = countPartitions(kernel, name);
  const supervisor = new SupervisorRef(kernel, name);
  const { length: initial } = await supervisor.whichChildren();
  if (!Number.isInteger(partitions) || partitions < 0 || partitions > initial)
    throw new RangeError(`${name} can have 0 to ${initial} partitions, not ${partitions}`);
  // Messages go nowhere else before the partitions they would go to run, and stop before those end.
  if (partitions < before) kernel.side.label(kernel.whereis(name)!, partitionsLabel, partitions);
  for (let number = before - 1; number >= partitions; number -= 1)
    await supervisor.terminateChild(String(number));
  for (let number = before; number < partitions; number += 1) {
    const result = await supervisor.restartChild(String(number));
    if (!result.ok && result.error === "failed") throw didNotStart(name, number, result.reason);
    kernel.side.label(kernel.whereis(name)!, partitionsLabel, number + 1);
  }
  return before;
}

function didNotStart(name: string, number: number, reason: ExitReason): CallError {
  const message = `${partitionName(name, number)} did not start: ${describeReason(reason)}`;
  return new CallError({ code: "failed", executed: "maybe", message, payload: reason });
}
