/**
 * Whether this node may act for the names it owns: a pure decision on its own clock.
 *
 * Two leases must hold. The long one is the session in the store: others may take over after it has not changed for
 * longer than it is valid here. The short one is the node's own heartbeat coming back through the network: others may
 * take over sooner when the network says that nobody listens on the node's connection any more. Both count from the
 * moment of sending, so that a paused process finds itself without a lease when it wakes up.
 *
 * Source: Gray and Cheriton, Leases (1989); Kleppmann, How to do distributed locking (2016), for fencing.
 *
 * @module
 */

/** How long a session stands after its last renewal, in milliseconds. */
export const sessionTtlMs = 3_000;
/** The owner stops this early, and others wait this late, as a share of the time to live: clocks run at different speeds. */
const ownerShare = 0.9;
const takeoverShare = 1.1;
/** How long a node acts after its last renewal was sent, in milliseconds. */
export const actingMs = sessionTtlMs * ownerShare;
/** How often the owner renews, in milliseconds. */
export const renewEveryMs = sessionTtlMs / 3;
/** How often a node beats, in milliseconds. */
export const beatEveryMs = 100;
/** The owner stops when no heartbeat it sent within this time came back, in milliseconds. */
export const echoValidMs = 400;
/** Others wait this long after the last heartbeat before they end a dead node's session, in milliseconds. */
export const deadAfterSilenceMs = 500;

/** When, on this node's clock, was sent what the store and the network confirmed last. */
export interface LeaseState {
  readonly renewedMs: number;
  readonly echoedMs: number;
  /** Somebody else wrote the session: nothing is owned any more. */
  readonly lost: boolean;
}

export const noLease: LeaseState = { renewedMs: -Infinity, echoedMs: -Infinity, lost: true };

/** Whether the node may run and answer for its names now. */
export function mayAct(state: LeaseState, nowMs: number): boolean {
  return !state.lost && nowMs < state.renewedMs + actingMs && nowMs < state.echoedMs + echoValidMs;
}

/** Whether a session that was last seen to change at `changedMs` has run out for everybody. */
export function hasExpired(changedMs: number, nowMs: number): boolean {
  return nowMs >= changedMs + sessionTtlMs * takeoverShare;
}
