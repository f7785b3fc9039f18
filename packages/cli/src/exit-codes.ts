/**
 * What the command's exit status means.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

export const exitCodes = { done: 0, failed: 1, usage: 2, noCluster: 3 } as const;

/** The command was used wrongly: a bad flag, a bad file, an argument that is not JSON. */
export class UsageError extends CoppiceError {
  static {
    this.prototype.name = "UsageError";
  }
  readonly code = "usage";
}

/** No node of the cluster answers. */
export class NoClusterError extends CoppiceError {
  static {
    this.prototype.name = "NoClusterError";
  }
  readonly code = "no_cluster";
}

const noClusterCodes = new Set([
  "no_cluster",
  "nats_unreachable",
  "nats_denied",
  "nats_tls",
  "nats_permission",
  "bad_credentials",
  "jetstream_disabled",
  "foreign_bucket",
]);

/** The exit status for what a command threw. */
export function exitCodeOf(thrown: unknown): number {
  if (!(thrown instanceof CoppiceError)) return exitCodes.failed;
  if (thrown.code === "usage") return exitCodes.usage;
  return noClusterCodes.has(thrown.code) ? exitCodes.noCluster : exitCodes.failed;
}
