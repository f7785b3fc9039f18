/**
 * What a component may use, and what it may use unless the host says otherwise.
 *
 * @module
 */
import { pageBytes, type RewriteOptions } from "@coppice/meter";
import type { CpuLimits } from "./slice-policy.ts";

/** The limits of one component process. */
export interface GuestLimits {
  /** The most memory, in bytes, rounded down to pages of 64 KiB. Default: 256 MiB. */
  readonly memoryBytes?: number;
  /** The most processor time of one call, in milliseconds. Default: 5_000, as long as a caller waits by default. */
  readonly cpuMsPerCall?: number;
  /** The most processor time of all calls of one process together, in milliseconds. Default: no limit. */
  readonly cpuMsPerProcess?: number;
}

/** The most memory of an instance, in bytes. */
export const memoryBytesDefault = 268_435_456;
/** The most processor time of a call, in milliseconds. */
export const cpuMsPerCallDefault = 5_000;
/** The most elements of a table: each takes up to 40 bytes of the host's memory. */
const tableElementsMax = 1_000_000;

/** Of a process, not of what it is compiled to. */
export type CpuOptions = Omit<GuestLimits, "memoryBytes">;

export function cpuLimitsOf({
  cpuMsPerCall = cpuMsPerCallDefault,
  cpuMsPerProcess = Infinity,
}: CpuOptions): CpuLimits {
  return { callMsMax: cpuMsPerCall, totalMsMax: cpuMsPerProcess };
}

/** How a component's modules are rewritten. `metering: false` is for components that are trusted never to loop. */
export function rewriteOptionsOf({
  memoryBytes = memoryBytesDefault,
  metering = true,
}: {
  readonly memoryBytes?: number;
  readonly metering?: boolean;
}): RewriteOptions {
  return {
    fuel: metering,
    memoryPagesMax: Math.floor(memoryBytes / pageBytes),
    tableElementsMax,
  };
}

/** What one limit may be. */
const ranges: Readonly<Record<string, readonly [least: number, most: number]>> = {
  memoryBytes: [0, 4_294_967_296],
  cpuMsPerCall: [0, Infinity],
  cpuMsPerProcess: [0, Infinity],
  importMs: [0, Infinity],
  payloadBytes: [0, Infinity],
  snapshotBytes: [0, Infinity],
};

/** @throws {RangeError} naming a limit that is no number, or out of range. Of others, nothing is said. */
export function checkLimits(limits: object): void {
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    const range = ranges[name];
    if (range === undefined || value === undefined) continue;
    const [least, most] = range;
    if (typeof value === "number" && value >= least && value <= most) continue;
    const upTo = most === Infinity ? " or more" : ` to ${most}`;
    const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
    throw new RangeError(`limits.${name} must be ${least}${upTo}, not ${shown}`);
  }
}
