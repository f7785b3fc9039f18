/**
 * The membership shell: beats, listens to beats, probes the silent.
 *
 * A node sends one message a beat, whatever the size of the cluster; the network hands it to the others.
 *
 * @module
 */
import type { Clock, Logger, NodeAddress } from "@coppice/kernel";
import {
  NoRespondersError,
  type Subjects,
  type Subscription,
  type Transport,
  UnsupportedVersionError,
} from "@coppice/net";
import { EndedLives } from "./ended-lives.ts";
import { beatEveryMs } from "./lease-state.ts";
import { decodeBeat, encodeBeat } from "./membership-protocol.ts";
import {
  type Beat,
  type Member,
  type Members,
  type MembershipEffect,
  type MemberTable,
  onBeat,
  onDeaf,
  onGone,
  onTick,
  suspectAfterMs,
} from "./membership-state.ts";

/** Who wants to know. */
export interface MembershipObserver {
  readonly up: (member: Member) => void;
  readonly down: (member: Member, gone: boolean) => void;
  /** This node's own heartbeat came back; it was sent at `sentMs`. */
  readonly echo: (sentMs: number) => void;
}

/** How long a probe waits for an answer, in milliseconds. */
const probeTimeoutMs = 200;

export class Membership {
  readonly #self: NodeAddress & { readonly osPid: number };
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #transport: Transport;
  readonly #subjects: Subjects;
  readonly #observer: MembershipObserver;
  readonly #subscriptions: Subscription[] = [];
  readonly #probing = new Set<string>();
  readonly #members: MemberTable = new Map();
  readonly #ended = new EndedLives();
  readonly #isInDoubt: () => boolean;
  #tickedMs = -Infinity;
  #saidVersion = false;
  /** Counts this node's connections: what was asked on one is not concluded on another. */
  #connection = 0;
  #stopTimer: (() => void) | undefined;

  constructor(options: {
    readonly self: NodeAddress & { readonly osPid: number };
    readonly clock: Clock;
    readonly logger: Logger;
    readonly transport: Transport;
    readonly subjects: Subjects;
    readonly observer: MembershipObserver;
    /** Whether this node cannot know if its own session still stands: it says nothing then. Default: never. */
    readonly isInDoubt?: () => boolean;
  }) {
    this.#self = options.self;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#transport = options.transport;
    this.#subjects = options.subjects;
    this.#observer = options.observer;
    this.#isInDoubt = options.isInDoubt ?? (() => false);
  }

  get members(): Members {
    return this.#members;
  }

  /** This node lost its connection, or has it again. */
  connectionChanged(): void {
    this.#connection += 1;
    onDeaf(this.#members, this.#clock.now());
  }

  start(): void {
    const { node, incarnation } = this.#self;
    this.#subscriptions.push(
      this.#transport.subscribe(this.#subjects.beatAll, ({ data }) => this.#received(data)),
      this.#transport.subscribe(this.#subjects.probe(node, incarnation), ({ reply }) => {
        if (reply !== undefined) this.#transport.publish(reply, new Uint8Array());
      }),
    );
    this.#tick();
  }

  /** Tells the others that this node leaves. */
  stop(): void {
    this.abandon();
    this.#beat({ leaving: true });
  }

  /** Stops without a word: the others have declared this life of the node over. */
  abandon(): void {
    this.#stopTimer?.();
    for (const { unsubscribe } of this.#subscriptions) unsubscribe();
  }

  /** Whether what that life of a node says counts. */
  accepts(address: NodeAddress): boolean {
    if (!this.#ended.has(address)) return !this.#isInDoubt();
    const { node, incarnation } = address;
    if (this.#ended.count(address) === 1)
      this.#logger.warn(
        { event: "ended_life_refused", node, incarnation },
        `node ${node} sends what is dropped: the session of that life of it is over`,
      );
    return false;
  }

  /** The session of that life of a node is over: it is down, and not heard until it has one again. */
  sessionEnded({ node, incarnation }: NodeAddress): void {
    if (node === this.#self.node && incarnation === this.#self.incarnation) return;
    this.#ended.add({ node, incarnation });
    this.#gone({ node, incarnation });
  }

  #gone(address: NodeAddress): void {
    const { hasOneServer } = this.#transport;
    this.#take(onGone(this.#members, address, { nowMs: this.#clock.now(), hasOneServer }));
  }

  readonly #tick = (): void => {
    this.#stopTimer = this.#clock.after(beatEveryMs, this.#tick);
    const nowMs = this.#clock.now();
    const sinceMs = nowMs - this.#tickedMs;
    this.#tickedMs = nowMs;
    if (!this.#transport.connected) return; // Cut off itself, it hears nobody and cannot tell who is gone.
    if (!this.#isInDoubt()) this.#beat({});
    // A node that was frozen or busy has not read what others said meanwhile.
    if (sinceMs >= suspectAfterMs) return onDeaf(this.#members, nowMs);
    this.#take(onTick(this.#members, nowMs));
  };

  #beat(more: { readonly leaving?: true }): void {
    const beat = encodeBeat({ ...this.#self, sentMs: this.#clock.now(), ...more });
    this.#transport.publish(this.#subjects.beat(this.#self.node), beat);
  }

  #received(data: Uint8Array): void {
    const beat = this.#read(data);
    if (beat === undefined) return;
    if (this.#ended.has(beat)) return;
    if (beat.node !== this.#self.node)
      return this.#take(onBeat(this.#members, beat, this.#clock.now()));
    if (beat.incarnation === this.#self.incarnation) this.#observer.echo(beat.sentMs);
  }

  /** Said once: a node of another version beats ten times a second. */
  #read(data: Uint8Array): Beat | undefined {
    try {
      return decodeBeat(data);
    } catch (thrown) {
      if (!(thrown instanceof UnsupportedVersionError)) throw thrown;
      if (!this.#saidVersion)
        this.#logger.error(
          { event: "version_unsupported", version: thrown.version },
          thrown.message,
        );
      this.#saidVersion = true;
      return undefined;
    }
  }

  /** That life of a node has a session. */
  sessionBegan(address: NodeAddress): void {
    this.#ended.delete(address);
    this.heard(address);
  }

  /** Somebody was heard in another way than by a beat: the first signal may overtake it. */
  heard(address: NodeAddress): void {
    if (address.node === this.#self.node) return; // A subject that was damaged on the way.
    if (this.#members.get(address.node)?.incarnation === address.incarnation) return;
    if (this.#ended.has(address)) return;
    const beat = { ...address, osPid: 0, sentMs: 0 };
    this.#take(onBeat(this.#members, beat, this.#clock.now()));
  }

  #take(effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "up":
          this.#logger.info(
            { event: "node_up", node: effect.member.node, incarnation: effect.member.incarnation },
            `node ${effect.member.node} is up`,
          );
          this.#observer.up(effect.member);
          break;
        case "down":
          this.#logger.warn(
            { event: "node_down", node: effect.member.node, gone: effect.gone },
            `node ${effect.member.node} is ${effect.gone ? "gone" : "unreachable"}`,
          );
          this.#observer.down(effect.member, effect.gone);
          break;
        case "probe":
          void this.#probe(effect.member);
      }
    }
  }

  async #probe({ node, incarnation }: Member): Promise<void> {
    const subject = this.#subjects.probe(node, incarnation);
    if (this.#probing.has(subject)) return;
    this.#probing.add(subject);
    const connection = this.#connection;
    try {
      const gone = await isGone(this.#transport, subject);
      if (gone && connection === this.#connection) this.#gone({ node, incarnation });
    } finally {
      this.#probing.delete(subject);
    }
  }
}

/** Whether the network says that nobody listens there. No answer at all says nothing. */
export async function isGone(transport: Transport, probeSubject: string): Promise<boolean> {
  try {
    await transport.request(probeSubject, new Uint8Array(), { timeoutMs: probeTimeoutMs });
    return false;
  } catch (thrown) {
    return thrown instanceof NoRespondersError;
  }
}
