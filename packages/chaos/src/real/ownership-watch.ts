/**
 * Writes to the registry of names, watched from outside of every node.
 *
 * @module
 */
import { decode, type Store, unescapeToken } from "@coppice/net";
import { connectNats, type NatsNetwork } from "@coppice/net-nats";
import type { OwnershipEvent } from "../history.ts";
import type { HarnessTime } from "./harness-time.ts";

const prefix = "name.";
/** How often the bucket is tried to be opened, and how long to wait between, in milliseconds. */
const attemptsMax = 15;
const retryMs = 1_000;

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
  const store = await openStore(network, bucketOf(cluster), replicas);
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

/** Servers that have just started elect a leader first. */
async function openStore(network: NatsNetwork, bucket: string, replicas: number): Promise<Store> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await network.openStore(bucket, { replicas });
    } catch (thrown) {
      if (attempt === attemptsMax) {
        await network.close();
        throw thrown;
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
}
