/**
 * What a node says of itself to the others: labels, weight, load, and whether it is being drained.
 *
 * @module
 */

/** How busy a node is, as of its last renewal. */
export interface NodeLoad {
  /** How many names it owns. */
  readonly names: number;
  /** How late its last timer was, in milliseconds: a busy event loop is late. */
  readonly lagMs: number;
}

export interface NodeTraits {
  /** Free text by name, such as `zone`: what placement asks for. */
  readonly labels: Readonly<Record<string, string>>;
  /** How much it takes of what is placed, compared with others; 0 takes nothing. Default: 1. */
  readonly weight: number;
  /** It takes nothing new and hands over what it has. */
  readonly draining: boolean;
  readonly load: NodeLoad;
}

/** What cannot be read has its default: a node of a later version may say more, or otherwise. */
export function parseTraits(value: Readonly<Record<string, unknown>>): NodeTraits {
  const { labels, weight, draining, load } = value;
  const { names, lagMs } = recordOf(load);
  const texts = Object.entries(recordOf(labels)).filter(([, text]) => typeof text === "string");
  return {
    labels: Object.fromEntries(texts) as Record<string, string>,
    weight: numberOr(weight, 1),
    draining: draining === true,
    load: { names: numberOr(names, 0), lagMs: numberOr(lagMs, 0) },
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value) ? value : otherwise;
}
