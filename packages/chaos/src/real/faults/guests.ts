/**
 * Faults of a WebAssembly component: what a guest may do wrong.
 *
 * @module
 */
import { oneOf } from "../schedule-policy.ts";
import type { World } from "../world.ts";
import { guestName, type Misdeed } from "../workloads/guest.ts";
import type { Fault } from "./fault.ts";

const unavailable = ({ hasGuest }: World): string | undefined =>
  hasGuest ? undefined : "no component runs";

const guestFault = (misdeed: Misdeed, description: string): Fault => ({
  kind: `component_${misdeed}`,
  description,
  lengthMs: [0, 1_500],
  unavailable,
  inject: (random, { nodes }) => {
    oneOf(nodes, random).command(`guest ${misdeed}`);
    return { targets: [guestName], heal: () => {} };
  },
});

export const guestFaults: readonly Fault[] = [
  guestFault("trap", "the component traps"),
  guestFault("loop", "the component loops for ever"),
  guestFault("memory", "the component takes all the memory it can get"),
  guestFault("flood", "the component is sent 5,000 calls at once"),
];
