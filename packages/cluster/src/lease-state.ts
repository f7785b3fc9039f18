/**
 * Whether this node may act for the names it owns: a pure decision on its own clock.
 *
 * Two leases must hold. The long one is the session in the store: others may take over after it has not changed for
 * longer than it is valid here. The short one is the node's own heartbeat coming back through the network: others may
 * take over sooner when the network says that nobody listens on the node's connection any more. Both count from the
 * moment of sending, so that a paused process finds itself without a lease when it wakes up.
 *
 * Every session says its own length, and others wait for as long as it says.
 *
 * Source: Gray and Cheriton, Leases (1989); Kleppmann, How to do distributed locking (2016), for fencing.
 *
 * @module
 */

/** How long a session stands after its last renewal where one server keeps the names, in milliseconds. */
export const leaseMsDefault = 3_000;
/** The same where a group of servers keeps them, in milliseconds: they need up to 10 s to elect a leader. */
export const replicatedLeaseMsDefault = 12_000;
/** The shortest and the longest lease, in milliseconds. A shorter one could run out while one renewal is not answered. */
export const leaseMsMin = 3_000;
export const leaseMsMax = 60_000;
/** The owner stops this early, and others wait this late, as a share of the lease: clocks run at different speeds. */
const ownerShare = 0.9;
const takeoverShare = 1.1;
/** How often the owner renews, in milliseconds, whatever its lease: what is left when the store falls silent is most of it. */
export const renewEveryMs = 1_000;
/** How soon it tries again when the store did not answer, in milliseconds. */
export const renewRetryMs = 250;
/**
 * How long it waits for an answer before it tries again, in milliseconds. The first try still counts when its answer comes
 * late: a store that elects a leader may not answer what was sent before.
 */
export const renewTimeoutMs = 1_000;
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

/** @throws {RangeError} for a lease that is no number from {@link leaseMsMin} to {@link leaseMsMax}. */
export function assertLease(leaseMs: number): void {
  if (isLease(leaseMs)) return;
  throw new RangeError(
    `leaseMs must be from ${leaseMsMin} to ${leaseMsMax}, not ${String(leaseMs)}`,
  );
}

export function isLease(leaseMs: unknown): leaseMs is number {
  return typeof leaseMs === "number" && leaseMs >= leaseMsMin && leaseMs <= leaseMsMax;
}

/** How long a node acts after its last renewal was sent, in milliseconds. */
export function actingMs(leaseMs: number): number {
  return leaseMs * ownerShare;
}

/** How long others wait after the last change of a session, in milliseconds. */
export function takeoverMs(leaseMs: number): number {
  return leaseMs * takeoverShare;
}

/** Whether the node may run and answer for its names now. */
export function mayAct(state: LeaseState, leaseMs: number, nowMs: number): boolean {
  return (
    !state.lost &&
    nowMs < state.renewedMs + actingMs(leaseMs) &&
    nowMs < state.echoedMs + echoValidMs
  );
}

/** Whether a session of that length, which was last seen to change at `changedMs`, has run out for everybody. */
export function hasExpired(changedMs: number, leaseMs: number, nowMs: number): boolean {
  return nowMs >= changedMs + takeoverMs(leaseMs);
}

/**
 * Whether this node cannot know if its session still stands: for as long as others wait it has not even heard that the
 * store does not answer. So it was frozen, or busy, and the session may be over.
 */
export function isInDoubt(settledMs: number, leaseMs: number, nowMs: number): boolean {
  return nowMs >= settledMs + takeoverMs(leaseMs);
}

/**
 * Whether this node, which listened to the sessions of others only as long as the store answered it, heard nothing of
 * them for too long to judge their silence: it counts it from now.
 */
export function wasDeaf(acceptedMs: number, nowMs: number): boolean {
  return nowMs >= acceptedMs + actingMs(leaseMsMin);
}
