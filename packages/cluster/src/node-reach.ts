/**
 * What a node reaches: the other nodes that are up, and signals to and from their processes.
 *
 * @module
 */
import type { Clock, Kernel, Logger, NodeAddress } from "@coppice/kernel";
import type { Subjects, Transport } from "@coppice/net";
import type { Member } from "./membership-state.ts";
import { Membership } from "./membership.ts";
import { NodePort } from "./node-port.ts";
import { NodeView } from "./node-view.ts";
import { PeerLinks } from "./peer-links.ts";
import { SignalRouter } from "./signal-router.ts";

/** Who wants to know. Everybody is told in the order in which they began to observe. */
export interface ReachObserver {
  readonly up?: (member: Member) => void;
  readonly down?: (member: Member, gone: boolean) => void;
  /** This node's own heartbeat came back; it was sent at `sentMs`. */
  readonly echo?: (sentMs: number) => void;
  /** Messages of that node were lost. */
  readonly gap?: (from: NodeAddress) => void;
  readonly connection?: (isConnected: boolean) => void;
}

export class NodeReach {
  readonly port: NodePort;
  readonly router: SignalRouter;
  readonly view = new NodeView();
  readonly #membership: Membership;
  readonly #links: PeerLinks;
  readonly #observers: ReachObserver[] = [];
  readonly #stopStatus: () => void;
  #isStarted = false;

  constructor(options: {
    readonly kernel: Kernel;
    readonly osPid: number;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly transport: Transport;
    readonly subjects: Subjects;
    /** Whether this node cannot know if its own session still stands. */
    readonly isInDoubt: () => boolean;
  }) {
    const { kernel, osPid, transport, logger } = options;
    const self = kernel.address;
    this.#links = new PeerLinks({
      ...options,
      self,
      receiver: {
        accepts: (from) => this.#membership.accepts(from),
        heard: (from) => this.#membership.heard(from),
        receive: (signal) => this.router.receive(signal),
        gap: (from) => {
          kernel.nodeDown(from);
          for (const { gap } of this.#observers) gap?.(from);
        },
      },
    });
    this.port = new NodePort({ kernel, reply: (signal) => void this.#links.deliver(signal) });
    const send = this.#links.deliver.bind(this.#links);
    this.router = new SignalRouter({ kernel, port: this.port, send });
    kernel.connect({
      deliver: (signal) => this.router.deliver(signal),
      incarnationOf: (node) => this.#membership.members.get(node)?.incarnation,
    });
    this.#membership = new Membership({
      ...options,
      self: { ...self, osPid },
      observer: {
        up: (member) => this.#up(member),
        down: (member, gone) => this.#down(member, gone, kernel),
        echo: (sentMs) => this.#observers.forEach(({ echo }) => echo?.(sentMs)),
      },
    });
    this.#stopStatus = transport.onStatus((status) => {
      if (status.type === "error") {
        const fields = { event: "network_error", error: status.error.message };
        return logger.error(fields, `the network reports: ${status.error.message}`);
      }
      this.#membership.connectionChanged();
      for (const { connection } of this.#observers) connection?.(status.type === "reconnected");
      logger.warn({ event: "connection", status: status.type }, `the network is ${status.type}`);
    });
  }

  get members(): readonly Member[] {
    return [...this.#membership.members.values()];
  }

  observe(observer: ReachObserver): void {
    this.#observers.push(observer);
  }

  /** Whether what that life of a node says counts. */
  accepts(address: NodeAddress): boolean {
    return this.#membership.accepts(address);
  }

  /** That life of a node has a session: it is there, before its heartbeat is heard. */
  sessionBegan(address: NodeAddress): void {
    if (this.#isStarted) this.#membership.sessionBegan(address);
  }

  /** Hears what is sent to this life of the node: before anybody knows of it, so that nothing of that is missed. */
  listen(): void {
    this.#links.start();
  }

  /** Until then nothing is said to anybody. */
  start(): void {
    this.#isStarted = true;
    this.#membership.start();
  }

  /** Tells the others that this node leaves. */
  stop(): void {
    this.#links.stop();
    this.#membership.stop();
    this.#stopStatus();
  }

  /** Stops without a word: the others have declared this life of the node over, and nothing of it counts. */
  abandon(kernel: Kernel): void {
    kernel.connect({ deliver: () => false });
    for (const member of this.members) {
      this.#links.down(member);
      kernel.nodeDown(member);
    }
    this.#links.stop();
    this.#membership.abandon();
    this.#stopStatus();
  }

  /** The session of that life of a node is over: it is down, and not heard until it has one again. */
  sessionEnded(address: NodeAddress): void {
    this.#membership.sessionEnded(address);
  }

  #up(member: Member): void {
    this.#links.up(member);
    this.view.up(member);
    for (const { up } of this.#observers) up?.(member);
  }

  #down(member: Member, gone: boolean, kernel: Kernel): void {
    this.#links.down(member);
    this.view.down(member);
    kernel.nodeDown(member);
    for (const { down } of this.#observers) down?.(member, gone);
  }
}
