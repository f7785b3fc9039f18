/**
 * The commands that act: call, kill.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { toJson } from "@coppice/cluster";
import type { ClusterClient } from "../client.ts";
import { UsageError } from "../exit-codes.ts";
import type { Found } from "./questions.ts";

export async function call(
  client: ClusterClient,
  name: string,
  method: string,
  args: readonly unknown[],
): Promise<Found> {
  const value = await client.call(name, method, args);
  // What JSON cannot say is made into what it can, for people as for programs.
  const data: unknown = JSON.parse(Buffer.from(toJson(value)).toString("utf8"));
  return { data, text: JSON.stringify(data, null, 2) };
}

export async function kill(client: ClusterClient, name: string): Promise<Found> {
  const pid = await client.kill(name);
  return { data: { name, pid }, text: `killed ${name} (${pid})` };
}

/** @throws {UsageError} for the first argument that is not JSON, with how to write a text. */
export function parseArguments(texts: readonly string[]): unknown[] {
  return texts.map((text, index) => {
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new UsageError(
        `argument ${index + 1} is not JSON: ${text}; write a text in quotes: '${JSON.stringify(text)}'`,
        { cause },
      );
    }
  });
}
