/**
 * The names of the run: singletons that every node may run, and children that a cluster supervisor places.
 *
 * @module
 */
import type { ClusterSupervisor } from "@coppice/cluster";
import { Counter } from "./counter.ts";
import type { Workload, WorkloadContext } from "./workload.ts";

export const singletons = ["single-1", "single-2", "single-3", "single-4"];
export const placed = Array.from({ length: 8 }, (_, index) => `placed-${index + 1}`);
/** Everybody who is called. */
export const counters: readonly string[] = [...singletons, ...placed];

const supervisorName = "workers";
const retryMs = 500;

export function namesWorkload(context: WorkloadContext): Workload {
  const { node } = context;
  let isStopped = false;
  return {
    children: singletons.map((name) => ({ id: name, name, start: [Counter, context, name] })),
    start: async () => {
      const start = (name: string) => ({
        start: [Counter, context, name] as readonly [typeof Counter, WorkloadContext, string],
      });
      const supervisor = await node.startClusterSupervisor({
        name: supervisorName,
        kinds: { counter: start },
      });
      void addChildren(supervisor, () => isStopped);
    },
    stop: () => {
      isStopped = true;
    },
  };
}

/** Whichever node is first adds them; they stay in the store. */
async function addChildren(supervisor: ClusterSupervisor, isStopped: () => boolean): Promise<void> {
  for (const id of placed)
    while (!isStopped()) {
      const failure = await supervisor
        .startChild({ id, kind: "counter", args: [id] })
        .then(() => undefined)
        .catch((thrown: unknown) => thrown);
      const code = (failure as { readonly code?: string } | undefined)?.code;
      if (failure === undefined || code === "already_started" || code === "child_not_ready") break;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
}
