/**
 * The flags of a node: what it is told with `name=value`, its weight, its replicas.
 *
 * @module
 */
import { UsageError } from "./exit-codes.ts";

/** `name=value` each. @throws {UsageError} naming the flag. */
export function parsePairs(texts: readonly string[], flag: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`${flag} ${text}: write it as name=value`);
    const name = text.slice(0, at);
    if (Object.hasOwn(pairs, name))
      throw new UsageError(`${flag} ${text}: ${name} is given twice; give it once`);
    pairs[name] = text.slice(at + 1);
  }
  return pairs;
}

/** @throws {UsageError} unless it is a number, 0 or more. */
export function parseWeight(text: string): number {
  const weight = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(weight) || weight < 0)
    throw new UsageError(
      `--weight ${text}: it must be a number, 0 or more; 0 takes nothing that is placed`,
    );
  return weight;
}

/** @throws {UsageError} unless it is 1, 3 or 5. */
export function parseReplicas(text: string): number {
  if (!["1", "3", "5"].includes(text))
    throw new UsageError(
      `--replicas ${text}: it must be 1, 3 or 5: how many NATS servers keep the names`,
    );
  return Number(text);
}
