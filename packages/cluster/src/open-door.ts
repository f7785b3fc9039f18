/**
 * The open door: any NATS client calls a named process with a JSON array and gets JSON back.
 *
 * A value is answered as it is, a failure as `{"error":{"code","executed","message"}}`. What crosses is checked as what
 * crosses between nodes: plain data, at most so deep and so large.
 *
 * @module
 */
import { CallError, errorData, type Logger } from "@coppice/kernel";
import type { Message, Subjects, Subscription, Transport } from "@coppice/net";
import type { DoorStats } from "./door-stats.ts";
import { fromJson, toJson } from "./json.ts";

/** Calls a named process. */
export type CallByName = (
  name: string,
  method: string,
  args: readonly unknown[],
) => Promise<unknown>;

/** All nodes share the requests. */
export const doorQueue = "door";
/** The most calls of the door that one node has under way; one more is refused as `overloaded`. */
export const callsMax = 10_000;
/** The most bytes of an answer; fewer where the network's messages are smaller. */
export const answerBytesMax = 1_000_000;

export function openDoor(options: {
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly call: CallByName;
  readonly logger: Logger;
  readonly stats: DoorStats;
}): Subscription {
  const { transport, subjects, call, logger, stats } = options;
  let underWay = 0;
  const answer = async ({ subject, data, reply }: Message): Promise<void> => {
    const target = subjects.parseCall(subject);
    const isFull = underWay >= callsMax;
    const done = target === undefined ? undefined : stats.begin(target.name);
    underWay += 1;
    const result = isFull ? overloaded() : await outcome(target, data, call);
    underWay -= 1;
    const body = answerBody(result, Math.min(answerBytesMax, transport.payloadBytesMax));
    const error = isError(result) ? result.error : undefined;
    done?.(error?.message);
    if (reply !== undefined) transport.publish(reply, body);
    else if (error !== undefined)
      logger.warn({ event: "door_call_failed", subject, error }, error.message);
  };
  return transport.subscribe(subjects.callAll, answer, { queue: doorQueue });
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

function answerBody(result: unknown, bytesMax: number): Uint8Array {
  const body = toJson(result);
  if (body.length <= bytesMax) return body;
  const message = `the answer has ${body.length} bytes of at most ${bytesMax}: ask for less at once`;
  return toJson({ error: { code: "failed", executed: "maybe", message } });
}

function refused(message: string): ErrorAnswer {
  return { error: { code: "bad_argument", executed: "no", message } };
}

function overloaded(): ErrorAnswer {
  const message = `this node has ${callsMax} calls of outside clients under way; try again later`;
  return { error: { code: "overloaded", executed: "no", message } };
}

function isError(result: unknown): result is ErrorAnswer {
  return typeof result === "object" && result !== null && "error" in result;
}
