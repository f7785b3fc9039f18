/**
 * The command that puts a component where every node of the cluster gets it: `coppice push <file>`.
 *
 * @module
 */
import { readComponent } from "@coppice/component";
import { connectNats } from "@coppice/net-nats";
import { bucketOf } from "../bucket-name.ts";
import type { Config } from "../config.ts";
import { UsageError } from "../exit-codes.ts";
import type { Found } from "./questions.ts";

/** No node has to run. @throws {UsageError} if the file is no component. */
export async function push(config: Config, file: string): Promise<Found> {
  const bytes = await componentOf(file);
  const { servers, timeoutMs, cluster, access = {} } = config;
  const { replicas, ...connection } = access;
  const nats = await connectNats({ ...connection, servers, name: "coppice command", timeoutMs });
  try {
    const options = replicas === undefined ? {} : { replicas };
    const artifacts = await nats.openArtifacts(bucketOf(cluster), options);
    const digest = await artifacts.put(bytes);
    return { data: { digest, bytes: bytes.length }, text: digest };
  } finally {
    await nats.close();
  }
}

async function componentOf(file: string): Promise<Uint8Array> {
  try {
    return await readComponent({ path: file });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}
