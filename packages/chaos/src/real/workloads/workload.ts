/**
 * What a workload is: children that a node supervises, and work that goes on until it is stopped.
 *
 * @module
 */
import type { ClusterNode } from "@coppice/cluster";
import type { Random } from "@coppice/kernel";
import type { ChildSpec } from "@coppice/otp";
import type { EventLog } from "../event-log.ts";

/** What a workload works with. */
export interface WorkloadContext {
  readonly node: ClusterNode;
  readonly log: EventLog;
  readonly random: Random;
  /** This life of the node, as callers and publishers are called after it. */
  readonly life: string;
}

export interface Workload {
  /** What the node supervises for it. Default: nothing. */
  readonly children?: readonly ChildSpec[];
  /** Begins, once the children run. Default: nothing to begin. */
  readonly start?: () => void | Promise<void>;
  /** Stops asking for anything. Resolves when what was asked for has ended. */
  readonly stop?: () => void | Promise<void>;
  /** How often something happened. */
  readonly counts?: () => Readonly<Record<string, number>>;
}

/** Runs `work` so many times a second, in small batches, until the function returned is called. */
export function pace(perSecond: number, work: () => void): () => void {
  const startedMs = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1_000) * perSecond);
    // What a frozen process missed is not made up for.
    done = Math.max(done, due - Math.ceil(perSecond / 10));
    for (; done < due; done += 1) work();
  }, tickMs);
  return () => clearInterval(timer);
}

const tickMs = 10;
