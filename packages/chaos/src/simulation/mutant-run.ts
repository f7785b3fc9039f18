/**
 * Shows how soon planted bugs are found: one row for each.
 *
 * @module
 */
import { runSeeds } from "./seed-runner.ts";
import type { SourcePatch } from "./source-patch.ts";

/** A planted bug, as the list of them has it. */
export interface PlantedBug {
  readonly name: string;
  readonly patches: readonly SourcePatch[];
  /** Why no promise is broken by it. */
  readonly equivalent?: string;
}

/** What became of one. */
export interface MutantRow {
  readonly name: string;
  readonly equivalent: string | undefined;
  /** The first seed that finds it; nothing if none did. */
  readonly seed: number | undefined;
  /** How many seeds ran. */
  readonly seeds: number;
  /** The promise that broke first. */
  readonly promise: string | undefined;
  readonly message: string | undefined;
}

export interface MutantRunOptions {
  /** The most seeds for each. */
  readonly seedsMax: number;
  readonly workers: number;
  /** How long each may take, in milliseconds. Default: no limit. */
  readonly withinMs?: number;
}

export async function runMutant(bug: PlantedBug, options: MutantRunOptions): Promise<MutantRow> {
  const { seedsMax, workers, withinMs = Infinity } = options;
  const { patches, name, equivalent } = bug;
  const result = await runSeeds({ from: 1, count: seedsMax, workers, withinMs, patches });
  const [failure] = result.failures;
  const [violation] = failure?.violations ?? [];
  if (violation?.promise === "run" && violation.message.includes("not once"))
    throw new Error(violation.message);
  return {
    name,
    equivalent,
    seed: failure?.seed,
    seeds: result.count,
    promise: violation?.promise,
    message: violation?.message,
  };
}

/** Whether it was found, or need not be. */
export function isAsExpected({ seed, equivalent }: MutantRow): boolean {
  return seed !== undefined || equivalent !== undefined;
}

/** A row for people. */
export function describeRow({ name, equivalent, seed, seeds, promise }: MutantRow): string {
  const found =
    seed !== undefined
      ? `seed ${String(seed).padStart(5)}  ${(promise ?? "").padEnd(3)}`
      : `not in ${String(seeds).padStart(5)} seeds`;
  const why = seed === undefined && equivalent !== undefined ? ` (equivalent: ${equivalent})` : "";
  return `${found.padEnd(20)} ${name}${why}`;
}
