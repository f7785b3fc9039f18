/**
 * The command that empties a node: `coppice drain <node>`.
 *
 * @module
 */
import type { ClusterClient } from "../client.ts";
import type { Found } from "./questions.ts";

/** The node stays, takes nothing new, and can then be stopped without a call that fails. */
export async function drain(client: ClusterClient, node: string): Promise<Found> {
  const data = await client.drain(node);
  const { handedOver, kept } = data;
  const lines = [
    `${node} is drained: ${handedOver.length} names are with other nodes now`,
    ...(kept.length === 0
      ? []
      : [`no other node takes ${kept.join(", ")}: these run on until ${node} stops`]),
  ];
  return { data, text: lines.join("\n") };
}
