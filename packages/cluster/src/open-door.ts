/**
 * The open door: any NATS client calls a named process with a JSON array and gets JSON back.
 *
 * A value is answered as it is, a failure as `{"error":{"code","executed","message"}}`.
 *
 * @module
 */
import { CallError, errorData, type Logger } from "@coppice/kernel";
import type { Message, Subjects, Subscription, Transport } from "@coppice/net";
import { fromJson, toJson } from "./json.ts";

/** Calls a named process. */
export type CallByName = (
  name: string,
  method: string,
  args: readonly unknown[],
) => Promise<unknown>;

/** All nodes share the requests. */
const queue = "door";

export function openDoor(options: {
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly call: CallByName;
  readonly logger: Logger;
}): Subscription {
  const { transport, subjects, call, logger } = options;
  const answer = async ({ subject, data, reply }: Message): Promise<void> => {
    const result = await outcome(subjects.parseCall(subject), data, call);
    if (reply !== undefined) transport.publish(reply, toJson(result));
    else if (isError(result))
      logger.warn({ event: "door_call_failed", subject, ...result }, result.error.message);
  };
  return transport.subscribe(subjects.callAll, (message) => void answer(message), { queue });
}

interface ErrorAnswer {
  readonly error: { readonly code: string; readonly executed: string; readonly message: string };
}

async function outcome(
  target: { readonly name: string; readonly method: string } | undefined,
  data: Uint8Array,
  call: CallByName,
): Promise<unknown> {
  if (target === undefined)
    return refused("the subject must end in call.<name>.<function>, with both escaped");
  let args: unknown;
  try {
    args = data.length === 0 ? [] : fromJson(data);
  } catch (thrown) {
    return refused(`the arguments are not JSON: ${errorData(thrown).message}`);
  }
  if (!Array.isArray(args)) return refused('the arguments must be a JSON array, such as ["hi"]');
  try {
    return await call(target.name, target.method, args);
  } catch (thrown) {
    if (!(thrown instanceof CallError)) return refused(errorData(thrown).message);
    return { error: thrown.toFailure() };
  }
}

function refused(message: string): ErrorAnswer {
  return { error: { code: "bad_argument", executed: "no", message } };
}

function isError(result: unknown): result is ErrorAnswer {
  return typeof result === "object" && result !== null && "error" in result;
}
