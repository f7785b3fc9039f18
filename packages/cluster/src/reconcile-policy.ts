/**
 * What one node does about one process of a cluster supervisor: a pure decision that holds what is wanted, what is owned,
 * and what runs here equal, in both directions.
 *
 * @module
 */

/** The process here: none, started and waiting for its name, acting for it, or between two starts. */
export type Here = "none" | "standby" | "active" | "waiting";

export interface InstanceView {
  /** Whether the supervisor is to have it. */
  readonly isWanted: boolean;
  readonly here: Here;
  /** Whether it belongs on this node, on another, or fits none. */
  readonly designated: "here" | "elsewhere" | "nowhere";
  /** Whether this node owns its name. */
  readonly isOurs: boolean;
}

/** `move`: hand it to the node it belongs on. */
export type Step = "start" | "stop" | "move" | "keep";

export function reconcile({ isWanted, here, designated, isOurs }: InstanceView): Step {
  if (!isWanted) return here === "none" ? "keep" : "stop";
  const belongsHere = designated === "here" || isOurs;
  switch (here) {
    case "none":
      return belongsHere ? "start" : "keep";
    case "waiting":
    case "standby":
      return belongsHere ? "keep" : "stop";
    case "active":
      return designated === "elsewhere" ? "move" : "keep"; // Where none fits, it is better here than not at all.
  }
}
