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
  deadAfterSilenceMs,
  hasExpired,
  type LeaseState,
  mayAct,
  noLease,
  renewEveryMs,
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
  /** Others have ended this node's session, or it ran out: what acts for a name must stop. */
  readonly lost: () => void;
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
  /** By key. */
  readonly #known = new Map<string, Known>();
  #lease: LeaseState = noLease;
  #revision = 0;
  /** Counts this node's connections. */
  #connection = 0;
  #renewing: Promise<void> | undefined;
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
  }) {
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
    return mayAct(this.#lease, this.#clock.now());
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
    this.#schedule(renewEveryMs, () => this.#renew());
    this.#schedule(sweepEveryMs, () => this.#sweep());
  }

  /** Ends this node's session, so that others take its names over at once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const stop of this.#stopTimers) stop();
    this.#stopExpiry?.();
    this.#stopWatch?.();
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
      const accepted = this.#sending();
      try {
        this.#revision =
          known === undefined
            ? await this.#store.create(key, value)
            : await this.#store.update(key, value, await this.#replaceable(known));
        this.#lease = { ...this.#lease, lost: false };
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
    while (!hasExpired(this.#latest(known).changedMs, this.#clock.now())) {
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
    const accepted = this.#sending();
    try {
      if (this.#lease.lost) return await this.#open();
      const key = keyOf(this.#self.node);
      this.#revision = await this.#store.update(key, this.#value(), this.#revision);
      accepted();
    } catch (thrown) {
      if (thrown instanceof ConflictError) return this.#lose();
      this.#logger.warn(
        { event: "session_renewal_failed", error: String(thrown) },
        `the session could not be renewed: ${String(thrown)}`,
      );
    }
  }

  /** Notes when a renewal is sent. What is returned says that it was accepted; too late on another connection. */
  #sending(): () => void {
    const sentMs = this.#clock.now();
    const connection = this.#connection;
    return () => {
      this.#stopExpiry?.();
      const leftMs = sentMs + actingMs - this.#clock.now();
      this.#stopExpiry = this.#clock.after(leftMs, () => this.#expire());
      if (connection === this.#connection) this.#lease = { ...this.#lease, renewedMs: sentMs };
    };
  }

  #value(): Uint8Array {
    return encode({ ...this.#self, ...this.#traits() });
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
    this.#lease = { ...this.#lease, lost: true };
    this.#logger.error({ event: "session_lost" }, "this node's session was ended by another node");
    this.#observer.lost();
  }

  async #sweep(): Promise<void> {
    for (const known of this.#known.values())
      if (known.node !== this.#self.node && hasExpired(known.changedMs, this.#clock.now()))
        await this.#delete(known);
  }

  #changed(change: Change): void {
    this.#take(change);
    this.#observer.seen(change.revision);
  }

  #take(change: Change): void {
    const before = this.#known.get(change.key);
    if (change.type === "delete") {
      this.#known.delete(change.key);
      if (before !== undefined) this.#observer.ended(before);
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
    if (known.node !== this.#self.node) this.#observer.began(known);
    this.#observer.changed();
  }

  #schedule(everyMs: number, run: () => Promise<void>): void {
    const again = async (): Promise<void> => {
      await run();
      if (!this.#stopped) this.#schedule(everyMs, run);
    };
    const stop = this.#clock.after(everyMs, () => {
      this.#stopTimers = this.#stopTimers.filter((each) => each !== stop);
      void again();
    });
    this.#stopTimers.push(stop);
  }
}

function parseSession(value: unknown): NodeAddress & { readonly traits: NodeTraits } {
  const { node, incarnation, ...traits } = (value ?? {}) as Record<string, unknown>;
  if (typeof node !== "string" || typeof incarnation !== "string")
    throw new BadFrameError("a session is malformed");
  return { node, incarnation, traits: parseTraits(traits) };
}

function keyOf(node: string): string {
  return `${prefix}${escapeToken(node)}`;
}
