/**
 * A child of a cluster supervisor, as data: it can be started on any node that knows its kind.
 *
 * @module
 */
import { encode } from "@coppice/net";
import { ChildSpecError, type Restart } from "@coppice/otp";
import type { Placement } from "./placement-policy.ts";
import type { NameMode } from "./singleton.ts";

export interface ClusterChild {
  /** Unique in the supervisor, and the name it is called by in the cluster. */
  readonly id: string;
  /** What it is: each node of the supervisor says which kinds it can start, and how. */
  readonly kind: string;
  /** Plain data for the kind. Default: none. */
  readonly args?: readonly unknown[];
  /** When it ends and is not started again, it is no child any more, on every node. Default: `permanent`. */
  readonly restart?: Restart;
  /** So many replicas, called `id#1`, `id#2` and so on; a call to `id` goes to one of them. Default: one, called `id`. */
  readonly count?: number;
  /** Default: `strict`. */
  readonly mode?: NameMode;
  /** Default: any node of weight more than 0. */
  readonly placement?: Placement;
}

/** The most replicas of one child. */
export const countMax = 1_000;
/** The most bytes of one child. */
export const childBytesMax = 64 * 1024;

const restarts: ReadonlySet<unknown> = new Set(["permanent", "transient", "temporary"]);
const modes: ReadonlySet<unknown> = new Set(["strict", "available"]);

/**
 * @throws {ChildSpecError} saying which child and what is wrong with it.
 * @throws {NotPlainDataError} for arguments that could not cross nodes.
 */
export function checkClusterChild(child: ClusterChild): void {
  const { id, kind, restart = "permanent", count, mode = "strict" } = child;
  const wrong = (what: string): never => {
    throw new ChildSpecError(`child ${String(id)}: ${what}`);
  };
  if (typeof id !== "string" || id === "") wrong("it needs an id: a non-empty string");
  if (/#[1-9][0-9]*$/.test(id)) wrong('an id that ends in "#" and a number would be a replica\'s');
  if (typeof kind !== "string" || kind === "") wrong("it needs a kind: a non-empty string");
  if (!restarts.has(restart)) wrong("restart must be permanent, transient or temporary");
  if (!modes.has(mode)) wrong("mode must be strict or available");
  if (count !== undefined && !(Number.isInteger(count) && count >= 0 && count <= countMax))
    wrong(`count must be a whole number from 0 to ${countMax}`);
  if (count !== undefined && restart !== "permanent")
    wrong("replicas must be permanent: they are as many as count says");
  const bytes = encode(child).length;
  if (bytes > childBytesMax)
    wrong(`it has ${bytes} bytes of at most ${childBytesMax}: keep large data elsewhere`);
}

/** The names of its processes. */
export function instanceNames({ id, count }: ClusterChild): readonly string[] {
  return count === undefined
    ? [id]
    : Array.from({ length: count }, (_, index) => `${id}#${index + 1}`);
}
