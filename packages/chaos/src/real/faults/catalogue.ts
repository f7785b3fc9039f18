/**
 * Every kind of fault there is, and the choice of some of them by name.
 *
 * @module
 */
import { clockFaults } from "./clocks.ts";
import type { Fault } from "./fault.ts";
import { guestFaults } from "./guests.ts";
import { natsFaults } from "./nats.ts";
import { networkFaults } from "./network.ts";
import { operations } from "./operations.ts";
import { poisonFaults } from "./poison.ts";
import { processFaults } from "./processes.ts";

export const catalogue: readonly Fault[] = [
  ...processFaults,
  ...operations,
  ...networkFaults,
  ...natsFaults,
  ...clockFaults,
  ...guestFaults,
  ...poisonFaults,
];

/** Those of that name, separated by commas; all of them without. @throws {RangeError} for an unknown name. */
export function faultsNamed(names: string | undefined): readonly Fault[] {
  if (names === undefined || names === "") return catalogue;
  return names.split(",").map((name) => {
    const fault = catalogue.find(({ kind }) => kind === name.trim());
    if (fault !== undefined) return fault;
    const known = catalogue.map(({ kind }) => kind).join(", ");
    throw new RangeError(`there is no fault ${name.trim()}; there are: ${known}`);
  });
}
