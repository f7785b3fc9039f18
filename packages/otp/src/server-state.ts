/**
 * The state of a gen-server as others may see it.
 *
 * @module
 */
import { copyPlainData, errorData } from "@coppice/kernel";
import type { GenServer } from "./gen-server.ts";

/** What reports show: what `formatStatus` returns, or the public fields. A failure is shown in its place (B4.7). */
export function publicState(server: GenServer): unknown {
  try {
    return copyPlainData(server.formatStatus?.() ?? publicFields(server), "state");
  } catch (thrown) {
    return `the state cannot be shown: ${errorData(thrown).message}`;
  }
}

/** The fields that are plain data. Private ones (`#`) are the class's own. */
export function publicFields(server: GenServer): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(server)) {
    if (name === "self") continue;
    try {
      fields[name] = copyPlainData(value, name);
    } catch {
      fields[name] = `(${typeof value})`; // A socket, a function: shown as what it is.
    }
  }
  return fields;
}
