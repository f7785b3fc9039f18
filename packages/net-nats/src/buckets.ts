/**
 * Whose a JetStream bucket is: its description says it, so that nothing of somebody else's is read or written.
 *
 * @module
 */
import { StoreUnavailableError } from "@coppice/net";
import {
  type JetStreamClient,
  JetStreamApiCodes,
  JetStreamApiError,
  type StreamInfo,
} from "@nats-io/jetstream";
import { ForeignBucketError, JetStreamDisabledError } from "./errors.ts";

/** What the buckets of this version are described as. Another format gets another number. */
export const storeDescription = "Coppice store, format 2";
export const artifactsDescription = "Coppice artifacts, format 1";

/** @throws {ForeignBucketError} if the bucket has another description. */
export function assertOwn(bucket: string, found: string, wanted: string): void {
  if (found !== wanted) throw new ForeignBucketError(bucket, found, wanted);
}

/** Why a bucket could not be opened, in our terms. */
export async function bucketFailure(
  thrown: unknown,
  jetstream: JetStreamClient,
  stream: string,
  { bucket, wanted }: { readonly bucket: string; readonly wanted: string },
): Promise<Error> {
  if (thrown instanceof ForeignBucketError) return thrown;
  // The client does not export the class of this error.
  const disabled =
    (thrown instanceof Error && thrown.name === "JetStreamNotEnabled") ||
    (thrown instanceof JetStreamApiError &&
      thrown.code === JetStreamApiCodes.JetStreamNotEnabledForAccount);
  if (disabled) return new JetStreamDisabledError({ cause: thrown });
  const found = await describe(jetstream, stream);
  if (found !== undefined && found !== wanted)
    return new ForeignBucketError(bucket, found, wanted, { cause: thrown });
  return new StoreUnavailableError(`open bucket ${bucket}`, { cause: thrown });
}

async function describe(jetstream: JetStreamClient, stream: string): Promise<string | undefined> {
  try {
    const manager = await jetstream.jetstreamManager();
    const info: StreamInfo = await manager.streams.info(stream);
    return info.config.description ?? "";
  } catch {
    return undefined; // There is none, or nobody answers: the first error says more.
  }
}
