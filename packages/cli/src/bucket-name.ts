/**
 * The JetStream bucket of a cluster: its names and its artifacts are in buckets of this name.
 *
 * @module
 */
import { digestOf } from "@coppice/net";

/** Enough to keep the clusters of one server apart. */
const digestCharacters = 16;

/** Another for every other cluster. */
export function bucketOf(cluster: string): string {
  const allowed = cluster.replaceAll(/[^A-Za-z0-9_-]/g, "_");
  if (allowed === cluster) return `coppice-${cluster}`;
  const digest = digestOf(new TextEncoder().encode(cluster));
  return `coppice-${allowed}_${digest.slice(0, digestCharacters)}`;
}
