/**
 * Which nodes are up, as one node sees it: a pure decision from heartbeats, silence and probes.
 *
 * "Down" means unreachable, not dead: only a probe that the network itself answers with "nobody listens" says that
 * the node's connection is gone.
 *
 * @module
 */

import type { NodeAddress } from "@coppice/kernel";

/** A node is probed after this much silence, in milliseconds: three heartbeats. */
export const suspectAfterMs = 300;
/** A silent node that cannot be shown to be gone is declared down after this, in milliseconds. */
export const downAfterMs = 1_500;

/** What a heartbeat says. */
export interface Beat {
  readonly node: string;
  readonly incarnation: string;
  readonly osPid: number;
  /** When it was sent, on the sender's clock. */
  readonly sentMs: number;
  /** The sender is stopping in order. */
  readonly leaving?: boolean;
}

export interface Member {
  readonly node: string;
  readonly incarnation: string;
  readonly osPid: number;
  readonly status: "up" | "suspect";
  readonly seenMs: number;
}

export type Members = ReadonlyMap<string, Member>;

/** What is known, to be changed by the functions here alone. */
export type MemberTable = Map<string, Member>;

/** What to do about a change. */
export type MembershipEffect =
  | { readonly type: "up"; readonly member: Member }
  | { readonly type: "probe"; readonly member: Member }
  /** `gone`: its connection is known to be closed. */
  | { readonly type: "down"; readonly member: Member; readonly gone: boolean };

/** A heartbeat was heard. Changes `members`, as every function here, and says what to do about it. */
export function onBeat(members: MemberTable, beat: Beat, nowMs: number): MembershipEffect[] {
  const known = members.get(beat.node);
  const same = known?.incarnation === beat.incarnation;
  if (beat.leaving === true) {
    if (known === undefined || !same) return [];
    members.delete(beat.node);
    return [{ type: "down", member: known, gone: true }];
  }
  const { node, incarnation, osPid } = beat;
  const member: Member = { node, incarnation, osPid, status: "up", seenMs: nowMs };
  members.set(node, member);
  if (same) return [];
  const up: MembershipEffect = { type: "up", member };
  return known === undefined ? [up] : [{ type: "down", member: known, gone: true }, up];
}

/** Time passed: silence becomes suspicion, suspicion becomes a probe at every tick, long silence becomes down. */
export function onTick(members: MemberTable, nowMs: number): MembershipEffect[] {
  const effects: MembershipEffect[] = [];
  for (const member of members.values()) {
    const silenceMs = nowMs - member.seenMs;
    if (silenceMs < suspectAfterMs) continue;
    if (silenceMs >= downAfterMs) {
      members.delete(member.node);
      effects.push({ type: "down", member, gone: false });
      continue;
    }
    const suspect: Member = { ...member, status: "suspect" };
    members.set(member.node, suspect);
    effects.push({ type: "probe", member: suspect });
  }
  return effects;
}

/**
 * This node itself did not listen, because it was cut off or did not run: it cannot tell silence from that, so all
 * silence counts from now.
 */
export function onDeaf(members: MemberTable, nowMs: number): void {
  for (const [node, member] of members) members.set(node, { ...member, seenMs: nowMs });
}

/**
 * A probe found that nobody listens on the connection of that life of the node. Its silence counts from its last heartbeat if one
 * server carries everything: none can have been lost. Otherwise it counts from now: it may have sent heartbeats until a moment ago
 * that came back to it, and not here.
 */
export function onGone(
  members: MemberTable,
  { node, incarnation }: NodeAddress,
  { nowMs, hasOneServer }: { readonly nowMs: number; readonly hasOneServer: boolean },
): MembershipEffect[] {
  const known = members.get(node);
  if (known?.incarnation !== incarnation) return [];
  members.delete(node);
  const member = hasOneServer ? known : { ...known, seenMs: nowMs };
  return [{ type: "down", member, gone: true }];
}
