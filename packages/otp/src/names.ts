/**
 * How a supervisor gives a child its name: the seam behind which a name is local or unique in a cluster.
 *
 * @module
 */
import type { SpawnOptions, StartResult } from "@coppice/kernel";

/** How a named process is started. */
export interface NamedStart {
  readonly options: SpawnOptions;
  readonly start: (options: SpawnOptions) => Promise<StartResult>;
  /** Makes a later start quick. */
  readonly prepare: () => Promise<void>;
}

/** Starts processes under names. */
export interface Names {
  /**
   * Starts a process that others call `name`. What is returned as started is the process the supervisor watches; on a
   * cluster that may be one that waits while another node holds the name.
   */
  readonly startNamed: (name: string, how: NamedStart) => Promise<StartResult>;
}

/** Names of one node: the kernel's own (A5.1). */
export const localNames: Names = {
  startNamed: (name, { options, start }) => start({ ...options, name }),
};
