/**
 * What a node offers its processes beyond messages: topics, groups, presence, and news of nodes and names.
 *
 * @module
 */
import type { Kernel, NodeAddress } from "@coppice/kernel";
import { BadFrameError, type Subjects, type Transport } from "@coppice/net";
import { EventMonitors } from "./event-monitors.ts";
import { Groups } from "./groups.ts";
import { NameMonitors } from "./name-monitors.ts";
import type { Names } from "./names.ts";
import { NodeEvent } from "./node-event.ts";
import type { NodeReach } from "./node-reach.ts";
import { Outlets } from "./outlet.ts";
import { Presence } from "./presence.ts";
import { PubSub } from "./pubsub.ts";
import { Pulse } from "./pulse.ts";
import { ReplicatedTables, type Table } from "./replicated-tables.ts";
import { ServiceSubjects } from "./service-subjects.ts";

export class NodeServices {
  readonly pubsub: PubSub;
  readonly groups: Groups;
  readonly presence: Presence;
  readonly nodeMonitors: EventMonitors<NodeEvent>;
  readonly nameMonitors: NameMonitors;
  /** Which nodes run which cluster supervisors, and the kinds of children each can start there. */
  readonly supervisors: Table<readonly string[]>;
  readonly #supervisorObservers = new Set<() => void>();
  readonly #outlets: Outlets;
  readonly #pulse: Pulse;

  constructor(options: {
    readonly kernel: Kernel;
    readonly reach: NodeReach;
    readonly names: Names;
    readonly transport: Transport;
    readonly subjects: Subjects;
  }) {
    const { kernel, reach, names, transport } = options;
    const { port, view } = reach;
    const self = kernel.address;
    const subjects = new ServiceSubjects(options.subjects);
    const outlets = new Outlets(kernel);
    const tables = new ReplicatedTables({ self, port, peers: () => view.addresses });
    const addressOf = (node: string): NodeAddress | undefined => view.addressOf(node);
    this.#outlets = outlets;
    this.supervisors = tables.open<readonly string[]>("supervisors", {
      parse: (value) => {
        if (Array.isArray(value) && value.every((kind) => typeof kind === "string")) return value;
        throw new BadFrameError("the kinds of a supervisor are malformed");
      },
      onChange: () => this.#supervisorObservers.forEach((observer) => observer()),
    });
    this.nodeMonitors = new EventMonitors({ kernel, outlets, source: "nodes" });
    this.nameMonitors = new NameMonitors({ kernel, outlets, names });
    const accepts = (from: NodeAddress): boolean => reach.accepts(from);
    this.pubsub = new PubSub({ kernel, transport, subjects, outlets, port, addressOf, accepts });
    this.groups = new Groups({ kernel, outlets, tables });
    this.presence = new Presence({ kernel, outlets, tables });
    this.#pulse = new Pulse({
      self,
      clock: kernel.clock,
      transport,
      subjects,
      services: {
        versions: () => tables.versions(),
        streamEnds: () => this.pubsub.streamEnds(),
        sayEndsAgain: () => this.pubsub.sayEndsAgain(),
        heardVersions: (from, versions) => tables.heardVersions(from, versions),
        heardStreamEnds: (from, ends) => this.pubsub.heardStreamEnds(from, ends),
      },
    });
    reach.observe({
      up: (member) => {
        tables.up(member);
        this.#pulse.ask(member.node);
        this.nodeMonitors.tell(new NodeEvent("nodeup", member));
      },
      down: (member, gone) => {
        tables.down(member);
        this.nodeMonitors.tell(new NodeEvent("nodedown", member, gone ? "left" : "unreachable"));
      },
      gap: (from) => {
        tables.askAll(from);
        this.#pulse.ask(from.node);
      },
      connection: (isConnected) => {
        if (!isConnected) return;
        for (const peer of view.addresses) tables.askAll(peer);
        this.pubsub.sayEndsAgain();
        this.#pulse.askEveryone();
      },
    });
  }

  /** Calls back when a node began or ceased to run a cluster supervisor. Returns what stops it. */
  onSupervisors(observer: () => void): () => void {
    this.#supervisorObservers.add(observer);
    return () => this.#supervisorObservers.delete(observer);
  }

  start(): void {
    this.#pulse.start();
  }

  stop(): void {
    this.#pulse.stop();
    this.pubsub.stop();
    this.#outlets.stop();
  }
}
