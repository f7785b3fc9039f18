/**
 * Which partition a key belongs to: a pure decision (C12).
 *
 * @module
 */

/**
 * A whole number belongs to the remainder of its absolute value, as in Elixir. Every other plain value belongs where its
 * written form hashes to: the same on every node and in every run, as long as the number of partitions is the same. Objects
 * with the same fields in another order are written otherwise.
 *
 * @throws {TypeError} if the key is a cycle.
 */
export function partitionOf(key: unknown, partitions: number): number {
  if (typeof key === "number" && Number.isInteger(key)) return Math.abs(key) % partitions;
  if (typeof key === "bigint") return Number((key < 0n ? -key : key) % BigInt(partitions));
  return (
    fnv1a(typeof key === "string" ? key : (JSON.stringify(key, written) ?? String(key))) %
    partitions
  );
}

/** Gives what JSON cannot write a form of its own. */
function written(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  return value instanceof Map || value instanceof Set ? [...value] : value;
}

/** FNV-1a, 32 bits, over UTF-16 units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
