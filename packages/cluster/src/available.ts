/**
 * Named children that go on without a lease: see {@link NameMode}.
 *
 * @module
 */
import type { StartResult } from "@coppice/kernel";
import {
  type ChildEnvironment,
  type ChildSpec,
  type NamedStart,
  type Names,
  type StartChild,
  startGenServer,
} from "@coppice/otp";

/** The names of a cluster node, as its children get them. */
export interface ClusterNames extends Names {
  readonly startAvailable: (name: string, how: NamedStart) => Promise<StartResult>;
}

/**
 * The same child in `available` mode: on a side of a split that cannot reach the store it goes on serving, so two may run
 * until the split has healed; then the one that does not own the name is killed, which counts as no restart.
 *
 * @throws {TypeError} for a child without a name.
 */
export function available(spec: ChildSpec): ChildSpec {
  const { name, ...unnamed } = spec;
  if (name === undefined)
    throw new TypeError(`child ${spec.id} has no name: only a named child can be available`);
  return {
    ...unnamed,
    start: (options, environment) => {
      const how: NamedStart = {
        options: { ...options, label: name },
        start: (named) => startOf(spec)(named, environment),
        prepare: async () => spec.prepare?.(environment),
      };
      return isClusterNames(environment.names)
        ? environment.names.startAvailable(name, how)
        : environment.names.startNamed(name, how);
    },
  };
}

/** A child's start as a function. */
export function startOf({ start }: ChildSpec): StartChild {
  if (typeof start === "function") return start;
  const [serverClass, ...args] = start;
  return (options, { kernel }: ChildEnvironment) =>
    startGenServer(kernel, new serverClass(...args), options);
}

function isClusterNames(names: Names): names is ClusterNames {
  return "startAvailable" in names;
}
