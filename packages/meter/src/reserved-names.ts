/**
 * The names under which a metered module exports what is not its own.
 *
 * @module
 */

const prefix = "coppice:";

export const reserved = {
  fuel: `${prefix}fuel`,
  owner: `${prefix}owner`,
  check: `${prefix}check`,
  suspend: `${prefix}suspend`,
  start: `${prefix}start`,
  memory: `${prefix}memory.`,
  table: `${prefix}table.`,
  global: `${prefix}global.`,
} as const;

/** Whether an export was added by metering: the component's code never asks for it. */
export function isReserved(name: string): boolean {
  return name.startsWith(prefix);
}
