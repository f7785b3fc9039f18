/**
 * Shows how soon planted bugs are found: one row for each.
 *
 * @module
 */
import type { FaultKind } from "./fault-plan.ts";
import { runSeeds } from "./seed-runner.ts";
import type { SourcePatch } from "./source-patch.ts";

/** A planted bug, as the list of them has it. */
export interface PlantedBug {
  readonly name: string;
  readonly patches: readonly SourcePatch[];
  /** The faults that it takes, where chance rarely brings them together. Default: everything. */
  readonly kinds?: readonly FaultKind[];
  /** Why no promise is broken by it. */
  readonly equivalent?: string;
}

/** What became of one. */
export interface MutantRow {
  readonly name: string;
  readonly kinds: readonly FaultKind[] | undefined;
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
  const { patches, kinds, name, equivalent } = bug;
  const result = await runSeeds({ from: 1, count: seedsMax, workers, withinMs, patches, kinds });
  const [failure] = result.failures;
  const [violation] = failure?.violations ?? [];
  if (violation?.promise === "run" && violation.message.includes("not once"))
    throw new Error(violation.message);
  return {
    name,
    kinds,
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
export function describeRow(row: MutantRow): string {
  const { name, kinds, equivalent, seed, seeds, promise } = row;
  const found =
    seed !== undefined
      ? `seed ${String(seed).padStart(5)}  ${(promise ?? "").padEnd(3)}`
      : `not in ${String(seeds).padStart(5)} seeds`;
  const why = seed === undefined && equivalent !== undefined ? ` (equivalent: ${equivalent})` : "";
  const only = kinds === undefined ? "" : ` (with ${kinds.join(", ")} alone)`;
  return `${found.padEnd(20)} ${name}${only}${why}`;
}
