/**
 * Writes to the registry of names, watched from outside of every node.
 *
 * @module
 */
import { decode, unescapeToken } from "@coppice/net";
import { connectNats, type NatsNetwork } from "@coppice/net-nats";
import type { OwnershipEvent } from "../history.ts";
import type { HarnessTime } from "./harness-time.ts";

const prefix = "name.";

/** The bucket of a cluster whose name needs no escaping, and its stream. */
export const bucketOf = (cluster: string): string => `coppice-${cluster}`;
export const streamOf = (cluster: string): string => `KV_${bucketOf(cluster)}`;

/** A connection of the runner's own, past the proxies. */
export async function watchOwnership(options: {
  readonly servers: readonly string[];
  readonly cluster: string;
  readonly replicas: number;
  readonly now: HarnessTime;
  readonly onEvent: (event: OwnershipEvent) => void;
}): Promise<NatsNetwork> {
  const { servers, cluster, replicas, now, onEvent } = options;
  const network = await connectNats({ servers, name: "chaos runner" });
  const store = await network.openStore(bucketOf(cluster), { replicas });
  await store.watch(
    (change) => {
      const name = unescapeToken(change.key.slice(prefix.length));
      if (name === undefined) return;
      const event = { type: "ownership", atMs: now(), name, revision: change.revision } as const;
      if (change.type === "delete") return onEvent(event);
      const { owner } = decode(change.value) as {
        readonly owner: { readonly node: string; readonly incarnation: string };
      };
      onEvent({ ...event, owner: `${owner.node}.${owner.incarnation}`, epoch: change.revision });
    },
    { prefix },
  );
  return network;
}
