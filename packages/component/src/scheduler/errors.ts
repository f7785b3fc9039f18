/**
 * Why a guest was stopped or not let in.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** Which limit on time a guest exceeded. */
export type CpuLimit = "cpu_per_call" | "cpu_per_process" | "unsuspendable";

const limitNames: Readonly<Record<CpuLimit, string>> = {
  cpu_per_call: "cpuMsPerCall",
  cpu_per_process: "cpuMsPerProcess",
  unsuspendable: "unsuspendableMsMax",
};

/** The guest used more processor time than it may: it was stopped where it was, its instance is dead. */
export class CpuLimitError extends CoppiceError {
  static {
    this.prototype.name = "CpuLimitError";
  }
  readonly code = "cpu_limit";
  readonly limit: CpuLimit;
  readonly limitMs: number;

  constructor(limit: CpuLimit, limitMs: number) {
    const where = limit === "unsuspendable" ? " where it cannot be suspended" : "";
    super(
      `stopped after ${limitMs} ms of processor time${where} (${limitNames[limit]}): do less in one call, or raise the limit`,
    );
    this.limit = limit;
    this.limitMs = limitMs;
  }
}

/** As many instances live as may on one thread, or on all threads of a node: nothing was started. */
export class TooManyInstancesError extends CoppiceError {
  static {
    this.prototype.name = "TooManyInstancesError";
  }
  readonly code = "too_many_instances";
  readonly instancesMax: number;

  constructor(instancesMax: number) {
    super(`${instancesMax} instances live here, the limit: stop some, or start another node`);
    this.instancesMax = instancesMax;
  }
}

/** The process has no address space for the memory of another instance: nothing was started. */
export class NoAddressSpaceError extends CoppiceError {
  static {
    this.prototype.name = "NoAddressSpaceError";
  }
  readonly code = "no_address_space";

  constructor(options: ErrorOptions) {
    super(
      "there is no address space for another memory, of which each reserves 8 GiB: stop some instances, or start another node",
      options,
    );
  }
}

/** As many calls are running or waiting as a thread may hold: the call did not run. */
export class TooManyCallsError extends CoppiceError {
  static {
    this.prototype.name = "TooManyCallsError";
  }
  readonly code = "too_many_calls";
  readonly callsMax: number;

  constructor(callsMax: number) {
    super(`${callsMax} calls are in progress on this thread, its limit: call again later`);
    this.callsMax = callsMax;
  }
}

/** The component was told to run on a thread of the pool, and cannot: nothing was started. */
export class PlacementError extends CoppiceError {
  static {
    this.prototype.name = "PlacementError";
  }
  readonly code = "bad_placement";
  readonly source: string;

  constructor(source: string, why: string) {
    super(`${source} cannot run on a scheduler thread: ${why}; leave placement out`);
    this.source = source;
  }
}

/** A scheduler thread ended: the instances on it are gone, the node and its other threads go on. */
export class ThreadLostError extends CoppiceError {
  static {
    this.prototype.name = "ThreadLostError";
  }
  readonly code = "thread_lost";

  constructor(options: ErrorOptions) {
    const why = options.cause instanceof Error ? `: ${options.cause.message}` : "";
    super(`the scheduler thread ended${why}`, options);
  }
}
