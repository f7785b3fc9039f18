/**
 * What a node owns: its session, the names it holds, and the processes that act for them.
 *
 * @module
 */
import type { Clock, Kernel, Logger, NodeAddress } from "@coppice/kernel";
import { sleep } from "@coppice/kernel";
import type { Store, Subjects, Transport } from "@coppice/net";
import { CallsByName } from "./call-by-name.ts";
import { type DrainResult, handOverAll } from "./drain.ts";
import { HandOffs } from "./hand-off.ts";
import { Names } from "./names.ts";
import type { NodeReach } from "./node-reach.ts";
import type { NodeTraits } from "./node-traits.ts";
import { type PlacementNode, rank } from "./placement-policy.ts";
import { Registrations } from "./registrations.ts";
import { Sessions } from "./sessions.ts";
import type { SingletonEnvironment, SingletonHandle } from "./singleton.ts";

/** How long a drained node goes on forwarding what still arrives, in milliseconds. */
const drainLingerMs = 300;

export class NodeOwnership {
  readonly sessions: Sessions;
  readonly names: Names;
  readonly handOffs: HandOffs;
  readonly registrations: Registrations;
  readonly calls: CallsByName;
  readonly environment: SingletonEnvironment;
  readonly #kernel: Kernel;
  readonly #reach: NodeReach;
  readonly #singletons = new Set<SingletonHandle>();
  readonly #lost = new Set<() => void>();
  readonly #changed = new Set<() => void>();
  #drain: Promise<DrainResult> | undefined;

  constructor(options: {
    readonly kernel: Kernel;
    readonly reach: NodeReach;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly transport: Transport;
    readonly store: Store;
    readonly subjects: Subjects;
    readonly traits: () => NodeTraits;
    readonly leaseMs?: number | undefined;
    /** Others have ended this life of the node. */
    readonly onDeposed: () => void;
  }) {
    const { kernel, reach, store } = options;
    const { port, router } = reach;
    this.#kernel = kernel;
    this.#reach = reach;
    this.sessions = new Sessions({
      ...options,
      self: kernel.address,
      observer: {
        began: (address) => reach.sessionBegan(address),
        ended: (address) => {
          reach.sessionEnded(address);
          this.names.sessionEnded(address);
        },
        seen: (revision) => this.names.sessionsSeen(revision),
        changed: () => this.#changed.forEach((observer) => observer()),
        lost: () => this.#lost.forEach((observer) => observer()),
        deposed: options.onDeposed,
      },
    });
    const { sessions } = this;
    const isAlive = (owner: NodeAddress): boolean => sessions.isAlive(owner);
    this.names = new Names({ self: kernel.address, store, isAlive });
    const { names } = this;
    this.handOffs = new HandOffs({ kernel, names, port, router });
    const { handOffs } = this;
    handOffs.accept((name) => this.#isStandby(name));
    this.registrations = new Registrations({ kernel, names, sessions, port });
    this.#lost.add(() => this.registrations.sessionLost());
    this.#lost.add(() => {
      // Cut off for so long, this node cannot tell who is there: every link, monitor and call ends (M1).
      if (!options.transport.connected)
        for (const peer of reach.view.addresses) kernel.nodeDown(peer);
    });
    this.calls = new CallsByName({ kernel, names, handOffs, registrations: this.registrations });
    this.environment = {
      kernel,
      names,
      sessions,
      handOffs,
      isDraining: () => this.isDraining,
      onSessionLost: (observer) => added(this.#lost, observer),
      announce: (handle) => added(this.#singletons, handle),
    };
    reach.observe({
      down: (member, gone) => {
        if (gone) void sessions.end(member, member.seenMs);
      },
      echo: (sentMs) => sessions.echoed(sentMs),
      connection: () => sessions.connectionChanged(),
    });
  }

  get isDraining(): boolean {
    return this.#drain !== undefined;
  }

  /** Calls back when a session began or ended, or what its node says of itself changed. Returns what stops it. */
  onSessions(observer: () => void): () => void {
    return added(this.#changed, observer);
  }

  /** The other nodes that take what is placed. */
  takers(): readonly PlacementNode[] {
    return [...this.#reach.view.addresses].flatMap((address) => {
      const traits = this.sessions.traitsOf(address);
      if (traits === undefined || traits.draining) return [];
      const { weight, labels } = traits;
      return [{ node: address.node, weight, labels }];
    });
  }

  /** Takes nothing new from now on, and hands over what it has. The second call waits for the first. */
  drain(): Promise<DrainResult> {
    this.#drain ??= this.#drainNow();
    return this.#drain;
  }

  async #drainNow(): Promise<DrainResult> {
    await Promise.resolve(); // So that what is told first is that this node is being drained.
    if (!this.sessions.mayAct()) return { handedOver: [], kept: [] };
    await this.sessions.announce();
    const nodes = this.takers();
    const addressOf = (node: string): NodeAddress[] => {
      const address = this.#reach.view.addressOf(node);
      return address === undefined ? [] : [address];
    };
    const result = await handOverAll([...this.#singletons], (name) =>
      rank(name, nodes).flatMap(addressOf),
    );
    if (result.handedOver.length > 0) await sleep(this.#kernel.clock, drainLingerMs);
    await this.handOffs.settled();
    return result;
  }

  #isStandby(name: string): boolean {
    if (this.isDraining || !this.sessions.mayAct()) return false;
    return [...this.#singletons].some((each) => each.name === name && !each.isActive());
  }
}

function added<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => void set.delete(item);
}
