/**
 * Which nodes are up, as one node sees it: a pure decision from heartbeats, silence and probes.
 *
 * "Down" means unreachable, not dead: only a probe that the network itself answers with "nobody listens" says that
 * the node's connection is gone.
 *
 * @module
 */

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

/** What to do about a change. */
export type MembershipEffect =
  | { readonly type: "up"; readonly member: Member }
  | { readonly type: "probe"; readonly member: Member }
  /** `gone`: its connection is known to be closed. */
  | { readonly type: "down"; readonly member: Member; readonly gone: boolean };

export interface Step {
  readonly members: Members;
  readonly effects: readonly MembershipEffect[];
}

export function onBeat(members: Members, beat: Beat, nowMs: number): Step {
  const known = members.get(beat.node);
  const same = known?.incarnation === beat.incarnation;
  const next = new Map(members);
  if (beat.leaving === true) {
    if (known === undefined || !same) return { members, effects: [] };
    next.delete(beat.node);
    return { members: next, effects: [{ type: "down", member: known, gone: true }] };
  }
  const { node, incarnation, osPid } = beat;
  const member: Member = { node, incarnation, osPid, status: "up", seenMs: nowMs };
  next.set(node, member);
  if (same) return { members: next, effects: [] };
  const effects: MembershipEffect[] = [{ type: "up", member }];
  if (known !== undefined) effects.unshift({ type: "down", member: known, gone: true });
  return { members: next, effects };
}

/** Time passed: silence becomes suspicion, suspicion becomes a probe at every tick, long silence becomes down. */
export function onTick(members: Members, nowMs: number): Step {
  const next = new Map(members);
  const effects: MembershipEffect[] = [];
  for (const member of members.values()) {
    const silenceMs = nowMs - member.seenMs;
    if (silenceMs < suspectAfterMs) continue;
    if (silenceMs >= downAfterMs) {
      next.delete(member.node);
      effects.push({ type: "down", member, gone: false });
      continue;
    }
    const suspect: Member = { ...member, status: "suspect" };
    next.set(member.node, suspect);
    effects.push({ type: "probe", member: suspect });
  }
  return { members: next, effects };
}

/**
 * This node itself was cut off and is back: it cannot tell silence from not having listened, so all silence counts from
 * now.
 */
export function onReconnected(members: Members, nowMs: number): Members {
  return new Map([...members].map(([node, member]) => [node, { ...member, seenMs: nowMs }]));
}

/** A probe found that nobody listens on the connection of that life of the node. */
export function onGone(members: Members, node: string, incarnation: string): Step {
  const member = members.get(node);
  if (member?.incarnation !== incarnation) return { members, effects: [] };
  const next = new Map(members);
  next.delete(node);
  return { members: next, effects: [{ type: "down", member, gone: true }] };
}
