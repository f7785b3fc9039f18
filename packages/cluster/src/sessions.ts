/**
 * The sessions of a cluster in the store: this node's own, renewed; those of others, watched and ended when dead.
 *
 * Invariants:
 *   E1. A name of a node may be taken over only after the node's session was deleted or replaced, by compare-and-set:
 *       from then on the old owner can never renew.
 *   E2. A session is ended only when its owner has stopped acting by its own clock: see `lease-state.ts`.
 *
 * @module
 */
import type { Clock, Logger, NodeAddress } from "@coppice/kernel";
import { sleep } from "@coppice/kernel";
import {
  BadFrameError,
  type Change,
  ConflictError,
  decode,
  encode,
  escapeToken,
  type Store,
  type Subjects,
  type Transport,
} from "@coppice/net";
import { NodeNameTakenError } from "./errors.ts";
import {
  actingMs,
  assertLease,
  deadAfterSilenceMs,
  hasExpired,
  isInDoubt,
  isLease,
  leaseMsDefault,
  type LeaseState,
  mayAct,
  noLease,
  renewEveryMs,
  renewRetryMs,
  renewTimeoutMs,
  wasDeaf,
} from "./lease-state.ts";
import { isGone } from "./membership.ts";
import { isSameLife } from "./names.ts";
import { type NodeTraits, parseTraits } from "./node-traits.ts";

const prefix = "session.";
/** How often a node looks whether another's session ran out, in milliseconds. */
const sweepEveryMs = 250;

interface Known {
  readonly node: string;
  readonly incarnation: string;
  readonly traits: NodeTraits;
  readonly leaseMs: number;
  readonly revision: number;
  readonly changedMs: number;
}

export interface SessionObserver {
  /** Another life of a node has a session: it is there, or was until a moment ago. */
  readonly began: (address: NodeAddress) => void;
  /** A session is over: its names can be taken. */
  readonly ended: (address: NodeAddress) => void;
  /** Every change of a session up to this revision of the store was heard. */
  readonly seen: (revision: number) => void;
  /** A session began or ended, or what its node says of itself changed. */
  readonly changed: () => void;
  /** This node's session ran out, or others ended it: what acts for a name must stop. It may be opened again. */
  readonly lost: () => void;
  /** Others ended this node's session while this node did not run, and noticed nothing: this life of it is over. */
  readonly deposed: () => void;
}

export class Sessions {
  readonly #self: NodeAddress;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #store: Store;
  readonly #transport: Transport;
  readonly #subjects: Subjects;
  readonly #observer: SessionObserver;
  readonly #traits: () => NodeTraits;
  readonly #leaseMs: number;
  /** By key. */
  readonly #known = new Map<string, Known>();
  #lease: LeaseState = noLease;
  #revision = 0;
  /** The write that opened this session. */
  #openedRevision = 0;
  /** Counts this node's connections. */
  #connection = 0;
  #renewing: Promise<void> | undefined;
  /** When the store last accepted a renewal. */
  #acceptedMs = -Infinity;
  /** When the last renewal was sent to which it has answered, or failed to. */
  #settledMs = -Infinity;
  #wasAccepted = true;
  /** It did not run for long, and no renewal has been accepted since. */
  #wasFrozen = false;
  /** Since when this node has listened to the others' sessions without a break. */
  #listeningMs = -Infinity;
  #stopped = false;
  /** Runs when the session has run out on this node's clock. */
  #stopExpiry: (() => void) | undefined;
  #stopTimers: (() => void)[] = [];
  #stopWatch: (() => void) | undefined;

  constructor(options: {
    readonly self: NodeAddress;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly store: Store;
    readonly transport: Transport;
    readonly subjects: Subjects;
    readonly observer: SessionObserver;
    /** What this node says of itself with every renewal. */
    readonly traits: () => NodeTraits;
    /** Default: {@link leaseMsDefault}. */
    readonly leaseMs?: number | undefined;
  }) {
    this.#leaseMs = options.leaseMs ?? leaseMsDefault;
    assertLease(this.#leaseMs);
    this.#self = options.self;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#store = options.store;
    this.#transport = options.transport;
    this.#subjects = options.subjects;
    this.#observer = options.observer;
    this.#traits = options.traits;
  }

  /** Whether this node may run and answer for its names now. */
  mayAct(): boolean {
    return mayAct(this.#lease, this.#leaseMs, this.#clock.now());
  }

  /**
   * Whether this node may act for a name that it owns with that epoch. Not with one of before this session: others may have
   * taken the name while there was none, and news of that may be late.
   */
  mayActWith(epoch: number): boolean {
    return epoch > this.#openedRevision && this.mayAct();
  }

  /** Whether this node may act as soon as its heartbeats come back: it is connected, and its session stands. */
  isLate(): boolean {
    const nowMs = this.#clock.now();
    const echoed = { ...this.#lease, echoedMs: nowMs };
    return !this.mayAct() && this.#transport.connected && mayAct(echoed, this.#leaseMs, nowMs);
  }

  /**
   * Whether this node did not run for so long that it cannot know if its session still stands. Not while it opens its first one:
   * others may have heard of that, and write, before the answer of the store is here.
   */
  isInDoubt(): boolean {
    if (this.#openedRevision === 0) return false;
    return isInDoubt(this.#settledMs, this.#leaseMs, this.#clock.now());
  }

  /** Whether that life of a node has a session, as far as this node has heard. */
  isAlive({ node, incarnation }: NodeAddress): boolean {
    return this.#known.get(keyOf(node))?.incarnation === incarnation;
  }

  /** What a life of a node says of itself; nothing without a session. */
  traitsOf({ node, incarnation }: NodeAddress): NodeTraits | undefined {
    const known = this.#known.get(keyOf(node));
    return known?.incarnation === incarnation ? known.traits : undefined;
  }

  /** The other nodes that have a session. */
  others(): readonly NodeAddress[] {
    const all = [...this.#known.values()];
    return all.filter(({ node }) => node !== this.#self.node);
  }

  /** Says anew what this node says of itself, without waiting for the next renewal. */
  announce(): Promise<void> {
    return this.#renew();
  }

  /** This node's heartbeat came back through the network. */
  echoed(sentMs: number): void {
    this.#lease = { ...this.#lease, echoedMs: Math.max(this.#lease.echoedMs, sentMs) };
  }

  /**
   * This node lost its connection, or has it again: others may have ended its session meanwhile. It acts again when a
   * renewal that was sent on the present connection has been accepted.
   */
  connectionChanged(): void {
    this.#connection += 1;
    this.#lease = { ...this.#lease, renewedMs: -Infinity };
    if (this.#transport.connected && !this.#stopped && this.#revision > 0) void this.#renew();
  }

  /** Opens this node's session. @throws {NodeNameTakenError} if a node of this name is running. */
  async start(): Promise<void> {
    const watch = await this.#store.watch((change) => this.#changed(change), { prefix });
    this.#stopWatch = watch.stop;
    await this.#open();
    this.#schedule(
      () => this.#renewAgainMs(),
      () => this.#renew(),
    );
    this.#schedule(
      () => sweepEveryMs,
      () => this.#sweep(),
    );
  }

  /** Ends this node's session, so that others take its names over at once. Nothing if others have. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const stop of this.#stopTimers) stop();
    this.#stopExpiry?.();
    this.#stopWatch?.();
    this.#settledMs = Infinity; // What is left to say is said.
    const { lost } = this.#lease;
    this.#lease = noLease;
    if (lost) return;
    try {
      await this.#store.delete(keyOf(this.#self.node), this.#revision);
    } catch (thrown) {
      // It runs out by itself.
      this.#logger.warn(
        { event: "session_end_failed", error: String(thrown) },
        `the session could not be ended and runs out by itself: ${String(thrown)}`,
      );
    }
  }

  /**
   * A node's connection is gone: ends its session once it has stopped acting by its own clock. If the session is renewed
   * meanwhile, the node has another connection, and acts: the session stands.
   */
  async end({ node, incarnation }: NodeAddress, seenMs: number): Promise<void> {
    const known = this.#known.get(keyOf(node));
    const waitMs = seenMs + deadAfterSilenceMs - this.#clock.now();
    if (waitMs > 0) await sleep(this.#clock, waitMs);
    if (this.#stopped || known?.incarnation !== incarnation) return;
    await this.#delete(known);
  }

  async #delete(known: Known): Promise<void> {
    try {
      await this.#store.delete(keyOf(known.node), known.revision);
    } catch (thrown) {
      if (thrown instanceof ConflictError) return; // Renewed or ended meanwhile: the watch tells.
      this.#logger.warn(
        { event: "session_end_failed", node: known.node, error: String(thrown) },
        `the session of node ${known.node} could not be ended yet: ${String(thrown)}`,
      );
    }
  }

  async #open(): Promise<void> {
    const key = keyOf(this.#self.node);
    while (!this.#stopped) {
      const value = this.#value();
      const known = this.#known.get(key);
      if (known !== undefined && isSameLife(known, this.#self)) {
        await sleep(this.#clock, renewRetryMs); // It was ended, and the watch is late to tell.
        continue;
      }
      const accepted = this.#sending();
      try {
        this.#revision =
          known === undefined
            ? await this.#store.create(key, value)
            : await this.#store.update(key, value, await this.#replaceable(known));
        this.#openedRevision = this.#revision;
        this.#lease = { ...this.#lease, lost: false };
        this.#settled(this.#clock.now());
        accepted();
        return;
      } catch (thrown) {
        if (!(thrown instanceof ConflictError)) throw thrown;
        await sleep(this.#clock, sweepEveryMs); // Until the watch has told what was written.
      }
    }
  }

  /** Waits until the session of an earlier life of this node is over. */
  async #replaceable(known: Known): Promise<number> {
    const subject = this.#subjects.probe(known.node, known.incarnation);
    if (await isGone(this.#transport, subject)) {
      await sleep(this.#clock, deadAfterSilenceMs);
      return known.revision;
    }
    while (!this.#hasExpired(this.#latest(known))) {
      if (this.#latest(known).revision !== known.revision)
        throw new NodeNameTakenError(this.#self.node);
      await sleep(this.#clock, sweepEveryMs);
    }
    return known.revision;
  }

  #latest(known: Known): Known {
    return this.#known.get(keyOf(known.node)) ?? known;
  }

  /** One at a time: a second one would find its own first one in the way. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewNow(): Promise<void> {
    const sentMs = this.#clock.now();
    this.#wasFrozen ||= this.isInDoubt();
    try {
      if (this.#lease.lost) await this.#open();
      else this.#wasAccepted = await this.#write();
    } catch (thrown) {
      this.#wasAccepted = false;
      this.#logger.warn(
        { event: "session_renewal_failed", error: String(thrown) },
        `the session could not be renewed: ${String(thrown)}`,
      );
    }
    this.#settled(sentMs);
  }

  /** Whether the store accepted a renewal in time. If not it may still do so. */
  async #write(): Promise<boolean> {
    const update = this.#update(this.#revision);
    const { promise: isLate, resolve } = Promise.withResolvers<boolean>();
    const stop = this.#clock.after(renewTimeoutMs, () => {
      update.catch(() => {}); // The next try says why.
      resolve(false);
    });
    try {
      return await Promise.race([update, isLate]);
    } finally {
      stop();
    }
  }

  /** Whether the store accepted it. */
  async #update(before: number): Promise<boolean> {
    const key = keyOf(this.#self.node);
    const accepted = this.#sending();
    try {
      const revision = await this.#store.update(key, this.#value(), before);
      if (this.#lease.lost || revision <= this.#revision) return false; // Read already, below.
      this.#revision = revision;
      accepted();
      return true;
    } catch (thrown) {
      if (!(thrown instanceof ConflictError)) throw thrown;
    }
    // A renewal that was not answered may have been made: then the session is this node's own, at a later revision.
    const entry = await this.#store.get(key);
    if (this.#revision !== before) return false; // Another try knows more.
    const found = entry === undefined ? undefined : parseSession(decode(entry.value));
    if (entry === undefined || found === undefined || !isSameLife(found, this.#self)) this.#lose();
    else this.#revision = entry.revision; // Only read; the next write proves it.
    return false;
  }

  /** The store answered to what was sent then, or did not: this node ran, and had the chance to hear of its end. */
  #settled(sentMs: number): void {
    this.#settledMs = Math.max(this.#settledMs, sentMs);
  }

  /** When to renew next, in milliseconds: soon if the last one was not accepted. */
  #renewAgainMs(): number {
    return this.#wasAccepted ? renewEveryMs : renewRetryMs;
  }

  /** Notes when a renewal is sent. What is returned says that it was accepted; too late on another connection. */
  #sending(): () => void {
    const sentMs = this.#clock.now();
    const connection = this.#connection;
    return () => {
      this.#stopExpiry?.();
      const nowMs = this.#clock.now();
      if (wasDeaf(this.#acceptedMs, nowMs)) this.#listeningMs = nowMs;
      this.#acceptedMs = nowMs;
      if (!isInDoubt(sentMs, this.#leaseMs, nowMs)) this.#wasFrozen = false;
      const leftMs = sentMs + actingMs(this.#leaseMs) - nowMs;
      this.#stopExpiry = this.#clock.after(leftMs, () => this.#expire());
      if (connection === this.#connection) this.#lease = { ...this.#lease, renewedMs: sentMs };
    };
  }

  #value(): Uint8Array {
    return encode({ ...this.#self, ...this.#traits(), leaseMs: this.#leaseMs });
  }

  /** Others may take over a little later. */
  #expire(): void {
    this.#logger.error(
      { event: "session_expired" },
      "this node's session could not be renewed in time: what acts for its names stops",
    );
    this.#observer.lost();
  }

  #lose(): void {
    if (this.#lease.lost || this.#stopped) return;
    this.#lease = { ...this.#lease, lost: true };
    this.#logger.error({ event: "session_lost" }, "this node's session was ended by another node");
    if (!this.#wasFrozen && !this.isInDoubt()) return this.#observer.lost();
    this.#stopped = true;
    this.#observer.deposed();
  }

  #hasExpired({ changedMs, leaseMs }: Known): boolean {
    return hasExpired(Math.max(changedMs, this.#listeningMs), leaseMs, this.#clock.now());
  }

  async #sweep(): Promise<void> {
    if (wasDeaf(this.#acceptedMs, this.#clock.now())) return;
    for (const known of this.#known.values())
      if (known.node !== this.#self.node && this.#hasExpired(known)) await this.#delete(known);
  }

  #changed(change: Change): void {
    this.#take(change);
    this.#observer.seen(change.revision);
  }

  #take(change: Change): void {
    const before = this.#known.get(change.key);
    const isOwn = change.key === keyOf(this.#self.node);
    if (change.type === "delete") {
      this.#known.delete(change.key);
      if (before !== undefined) this.#observer.ended(before);
      // Also one that a renewal has overwritten: others have heard of it.
      if (isOwn && change.revision > this.#openedRevision) this.#lose();
      return this.#observer.changed();
    }
    const known = parseSession(decode(change.value));
    const { revision } = change;
    this.#known.set(change.key, { ...known, revision, changedMs: this.#clock.now() });
    if (before !== undefined && isSameLife(before, known)) {
      if (before.traits.draining !== known.traits.draining) this.#observer.changed();
      return; // A renewal.
    }
    if (before !== undefined) this.#observer.ended(before);
    if (!isOwn) this.#observer.began(known);
    else if (!isSameLife(known, this.#self) && revision > this.#revision) this.#lose();
    this.#observer.changed();
  }

  #schedule(waitMs: () => number, run: () => Promise<void>): void {
    const again = async (): Promise<void> => {
      await run();
      if (!this.#stopped) this.#schedule(waitMs, run);
    };
    const stop = this.#clock.after(waitMs(), () => {
      this.#stopTimers = this.#stopTimers.filter((each) => each !== stop);
      void again();
    });
    this.#stopTimers.push(stop);
  }
}

function parseSession(
  value: unknown,
): NodeAddress & { readonly traits: NodeTraits; readonly leaseMs: number } {
  const {
    node,
    incarnation,
    leaseMs = leaseMsDefault,
    ...traits
  } = (value ?? {}) as Record<string, unknown>;
  if (typeof node !== "string" || typeof incarnation !== "string" || !isLease(leaseMs))
    throw new BadFrameError("a session is malformed");
  return { node, incarnation, leaseMs, traits: parseTraits(traits) };
}

function keyOf(node: string): string {
  return `${prefix}${escapeToken(node)}`;
}
