/**
 * A node of a cluster: the kernel joined to the network, with everything that crosses nodes.
 *
 * @module
 */
import {
  type Clock,
  Kernel,
  type Logger,
  type NodeAddress,
  noconnection,
  normal,
  type Pid,
  type Random,
  randomId,
  shutdown,
  sleep,
} from "@coppice/kernel";
import {
  type Artifacts,
  escapeToken,
  MemoryArtifacts,
  type Store,
  Subjects,
  type Subscription,
  type Transport,
} from "@coppice/net";
import { type ChildEnvironment, startSupervisor, type SupervisorOptions } from "@coppice/otp";
import { serveAdmin } from "./admin.ts";
import type { ClusterNames } from "./available.ts";
import type { NodeCallOptions, Target } from "./call-by-name.ts";
import {
  type ClusterSupervisorOptions,
  ClusterSupervisorProcess,
} from "./cluster-supervisor-process.ts";
import { ClusterSupervisor } from "./cluster-supervisor.ts";
import type { DrainResult } from "./drain.ts";
import { DoorStats } from "./door-stats.ts";
import { NodeDeposedError, StartError } from "./errors.ts";
import type { Groups } from "./groups.ts";
import { LagMeter } from "./lag-meter.ts";
import { serveMicro } from "./micro-service.ts";
import { MonotoneStore } from "./monotone-store.ts";
import type { NameEntry } from "./names.ts";
import { NodeOwnership } from "./node-ownership.ts";
import { NodeReach } from "./node-reach.ts";
import { NodeServices } from "./node-services.ts";
import type { NodeTraits } from "./node-traits.ts";
import type { NodeInfo } from "./node-view.ts";
import { openDoor } from "./open-door.ts";
import type { Presence } from "./presence.ts";
import type { PubSub } from "./pubsub.ts";
import { type NameMode, startSingleton } from "./singleton.ts";

/** What a node is made with. The transport and the store stay the caller's to close. */
export interface NodeOptions {
  /** Unique in the cluster. */
  readonly name: string;
  readonly cluster: string;
  readonly osPid: number;
  readonly transport: Transport;
  readonly store: Store;
  /** What is known by its digest, for every node of the cluster. Default: kept in this process, for this node alone. */
  readonly artifacts?: Artifacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What placement may ask for, such as `{ zone: "a" }`. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How much of what is placed this node takes, compared with others; 0 takes nothing. Default: 1. */
  readonly weight?: number;
  /**
   * For how long the node owns its names after the store last heard from it, and about how long others wait before they
   * take over from it when it falls silent, in milliseconds: from 3_000 to 60_000. At least 12_000 where a group of
   * servers keeps the names, which may need 10 s to elect a leader. Nodes of one cluster may differ. Default: 3_000.
   */
  readonly leaseMs?: number;
  /**
   * The highest revision of the store that an earlier node of this program has seen ({@link ClusterNode.registryRevision}): a
   * store that is behind it is refused. Default: 0, the store is taken as it is.
   */
  readonly registryRevision?: number;
  /**
   * Called once, when others ended the session of this node while the node did not run: it was frozen for longer than its
   * lease. Its processes have ended with `noconnection`, nothing of it is heard any more, and it has left the cluster. Start
   * another node in its place, or end the program. Default: it is logged.
   */
  readonly onDeposed?: (error: NodeDeposedError) => void;
}

/** The methods of a class that others may call. */
type Callable<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Awaited<R>
    : never;
};

/** A process whose functions are not known to the compiler. */
type AnyFunctions = Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** Where a named process is called, wherever it lives. */
export interface Ref<T> {
  /** As {@link ClusterNode.call}. */
  readonly call: <K extends keyof Callable<T> & string>(
    method: K,
    args: Parameters<Callable<T>[K]>,
    options?: NodeCallOptions,
  ) => Promise<ReturnType<Callable<T>[K]>>;
  /** As {@link ClusterNode.cast}. */
  readonly cast: <K extends keyof Callable<T> & string>(
    method: K,
    args: Parameters<Callable<T>[K]>,
  ) => void;
}

/** How long a joining node waits for its own heartbeat at most, and how often it looks, in milliseconds. */
const firstEchoMsMax = 2_000;
const firstEchoPollMs = 5;

/** Joins a cluster. @throws {NodeNameTakenError} if a node of this name is running. */
export async function startNode(options: NodeOptions): Promise<ClusterNode> {
  const node = new ClusterNode(options);
  await node.join();
  return node;
}

export class ClusterNode implements AsyncDisposable {
  readonly name: string;
  readonly cluster: string;
  readonly address: NodeAddress;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly pubsub: PubSub;
  readonly groups: Groups;
  readonly presence: Presence;
  /** What is known by its digest, such as components: `component({ digest, store: node.artifacts, ... })`. */
  readonly artifacts: Artifacts;
  readonly #options: NodeOptions;
  readonly #store: MonotoneStore;
  readonly #subjects: Subjects;
  readonly #reach: NodeReach;
  readonly #ownership: NodeOwnership;
  readonly #services: NodeServices;
  readonly #lag: LagMeter;
  readonly #open: Subscription[] = [];
  readonly #roots: Pid[] = [];
  #isDeposed = false;

  constructor(options: NodeOptions) {
    const { name, cluster, clock, random, logger } = options;
    const incarnation = randomId(random);
    this.name = name;
    this.cluster = cluster;
    this.clock = clock;
    this.random = random;
    this.logger = logger;
    this.kernel = new Kernel({ node: name, incarnation, clock, random, logger });
    this.address = this.kernel.address;
    this.artifacts = options.artifacts ?? new MemoryArtifacts();
    this.#store = new MonotoneStore({
      store: options.store,
      logger,
      probeKey: `revision.${escapeToken(name)}`,
      revision: options.registryRevision ?? 0,
    });
    this.#options = options;
    this.#subjects = new Subjects(cluster);
    this.#lag = new LagMeter(clock);
    const shared = {
      ...options,
      store: this.#store,
      kernel: this.kernel,
      subjects: this.#subjects,
    };
    const isInDoubt = (): boolean => this.#ownership.sessions.isInDoubt();
    this.#reach = new NodeReach({ ...shared, isInDoubt });
    const joined = { ...shared, reach: this.#reach };
    this.#ownership = new NodeOwnership({
      ...joined,
      traits: () => this.#traits(),
      onDeposed: () => this.#depose(),
    });
    this.#services = new NodeServices({ ...joined, names: this.#ownership.names });
    this.pubsub = this.#services.pubsub;
    this.groups = this.#services.groups;
    this.presence = this.#services.presence;
  }

  /** For {@link startNode}. */
  async join(): Promise<void> {
    const { transport } = this.#options;
    const { sessions, names } = this.#ownership;
    await names.start();
    this.#reach.listen();
    await sessions.start(); // Before anything is said: the name of this node may belong to another.
    this.#reach.start();
    for (const other of sessions.others()) this.#reach.sessionBegan(other);
    this.#services.start();
    this.#lag.start();
    this.#serve();
    await transport.flush();
    await this.#untilHeard();
  }

  #serve(): void {
    const { transport, logger } = this.#options;
    const subjects = this.#subjects;
    const call = this.call.bind(this);
    const admin = {
      kernel: this.kernel,
      nodes: () => this.nodeInfo(),
      names: () => this.names(),
      call,
      pidOf: (name: string) => this.whereis(name),
      drain: () => this.drain(),
    };
    const at = { own: subjects.admin(this.name), shared: subjects.anyAdmin };
    const stats = new DoorStats(this.clock);
    const owned = (): Iterable<NameEntry> => this.#ownership.names.owned();
    const micro = { self: this.address, cluster: this.cluster, subjects, stats, owned };
    this.#open.push(
      openDoor({ transport, subjects, logger, call, stats }),
      serveMicro(micro, transport),
      serveAdmin(admin, transport, at),
    );
  }

  /** Until this node's first heartbeat came back: before that it may not act for a name. */
  async #untilHeard(): Promise<void> {
    const deadline = this.clock.now() + firstEchoMsMax;
    while (!this.#ownership.sessions.mayAct() && this.clock.now() < deadline)
      await sleep(this.clock, firstEchoPollMs);
  }

  /**
   * Starts a supervisor with its children; a child with a name is unique in the cluster. Returns its pid.
   *
   * @throws {StartError} with the reason if a child does not start.
   */
  async start(options: SupervisorOptions, id = "app"): Promise<Pid> {
    const result = await startSupervisor(
      this.kernel,
      options,
      { label: id },
      this.#childEnvironment(),
    );
    if (result.type !== "started")
      throw new StartError(id, result.type === "failed" ? result.reason : normal);
    this.#roots.push(result.pid);
    return result.pid;
  }

  /**
   * Runs a cluster supervisor on this node, together with the nodes that run one of the same name.
   *
   * @throws {RangeError} if this node runs one of that name.
   * @throws {StartError} if its children cannot be read from the store.
   */
  async startClusterSupervisor(options: ClusterSupervisorOptions): Promise<ClusterSupervisor> {
    const { name } = options;
    const { supervisors } = this.#services;
    if (supervisors.own(name) !== undefined)
      throw new RangeError(`this node runs a cluster supervisor ${name} already`);
    const process = new ClusterSupervisorProcess(options, {
      ownership: this.#ownership,
      reach: this.#reach,
      children: this.#childEnvironment(),
      members: supervisors,
      onMembers: (observer) => this.#services.onSupervisors(observer),
      store: this.#store,
      own: () => ({ node: this.name, ...this.#traits() }),
    });
    const how = { kind: "cluster-supervisor", label: name, trapExit: true };
    const result = await this.kernel.start(process, how);
    if (result.type !== "started")
      throw new StartError(name, result.type === "failed" ? result.reason : normal);
    this.#roots.push(result.pid);
    return new ClusterSupervisor(name, result.pid, process);
  }

  #childEnvironment(): ChildEnvironment {
    const { environment } = this.#ownership;
    const startAs =
      (mode: NameMode): ClusterNames["startNamed"] =>
      (name, how) =>
        startSingleton({ name, mode, environment, how });
    const names: ClusterNames = {
      startNamed: startAs("strict"),
      startAvailable: startAs("available"),
    };
    return { kernel: this.kernel, names };
  }

  /** The process that answers to a name, here or on another node; of replicas, any of them. From memory, no network. */
  whereis(target: Target): Pid | undefined {
    return this.#ownership.calls.whereis(target);
  }

  /** Every name of the cluster. */
  names(): NameEntry[] {
    return this.#ownership.names.list();
  }

  /**
   * Gives a running process, of this or another node, a name of the cluster. The process keeps it until it ends, or is
   * unregistered. It handles nothing while its node may not act; it is killed when the session is lost.
   *
   * @throws {ClusterNameTakenError} if somebody alive has the name.
   * @throws {NameTooLongError} for a name that does not fit a subject.
   * @throws {RangeError} if the process is of this node and not alive.
   * @throws {StoreUnavailableError} if the store does not answer: the name may or may not have been taken.
   */
  register(name: string, pid: Pid): Promise<void> {
    return this.#ownership.registrations.register(name, pid);
  }

  /**
   * Gives a registered name to another running process, of any node, in one step: the one that had it runs on without. A
   * name that nobody has is registered.
   *
   * @throws {ClusterNameNotRegisteredError} if the process that has the name did not get it by {@link register}.
   * @throws {ClusterNameTakenError} {NameTooLongError} {RangeError} {StoreUnavailableError} as {@link register}.
   * @throws {CallError} if the node of one of the processes cannot be reached, or refuses.
   */
  reregister(name: string, pid: Pid): Promise<void> {
    return this.#ownership.registrations.reregister(name, pid);
  }

  /**
   * Takes a name from the process that was registered; the process runs on. From any node.
   *
   * @throws {ClusterNameNotRegisteredError} if no process was registered under it.
   */
  unregister(name: string): Promise<void> {
    return this.#ownership.registrations.unregister(name);
  }

  /** The other nodes that are up, sorted. */
  nodes(): readonly string[] {
    return this.#reach.view.names;
  }

  /** The highest revision of the store that this node has seen. */
  get registryRevision(): number {
    return this.#store.revision;
  }

  /** What is known of every node, this one included. */
  nodeInfo(): readonly NodeInfo[] {
    const { osPid } = this.#options;
    const own = { ...this.address, osPid, status: "up" as const, traits: this.#traits() };
    const others = this.#reach.members.map(({ node, incarnation, osPid: itsPid, status }) => {
      const traits = this.#ownership.sessions.traitsOf({ node, incarnation });
      return { node, incarnation, osPid: itsPid, status, traits };
    });
    return [own, ...others].sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  /**
   * Tells a process of this node of nodes that come and go ({@link NodeEvent}), until it ends. Each `true` adds a
   * subscription, `false` ends all of the process.
   */
  monitorNodes(pid: Pid, wanted = true): void {
    this.#services.nodeMonitors.monitor(pid, wanted);
  }

  /**
   * Tells a process of this node which process of any node began or ceased to answer to which name ({@link NameEvent}), until
   * it ends. Each `true` adds a subscription, `false` ends all of the process.
   */
  monitorNames(pid: Pid, wanted = true): void {
    this.#services.nameMonitors.monitor(pid, wanted);
  }

  /**
   * Calls a process by its name, wherever it lives. While the name changes hands the call waits; what certainly did not
   * run is sent again, what may have run is not.
   *
   * @throws {CallError} as `Kernel.call`; `noproc` at once if nobody holds the name.
   */
  call(
    target: Target,
    method: string,
    args: readonly unknown[],
    options: NodeCallOptions = {},
  ): Promise<unknown> {
    return this.#ownership.calls.call(target, method, args, options);
  }

  /** A name to call, with the types of the class that answers to it: `node.ref<Stack>("stack").call("pop", [])`. */
  ref<T = AnyFunctions>(target: Target): Ref<T> {
    return {
      call: (method, args, callOptions) => this.call(target, method, args, callOptions) as never,
      cast: (method, args) => this.cast(target, method, args),
    };
  }

  /** Sends a request that nobody waits for. It is lost if nobody holds the name. */
  cast(target: Target, method: string, args: readonly unknown[]): void {
    this.#ownership.calls.cast(target, method, args);
  }

  /**
   * Takes nothing new from now on, and hands every named process to another node, with its mailbox, and its state if it
   * has `save` and `load`. What no other node takes runs on here. Part of {@link stop}.
   */
  drain(): Promise<DrainResult> {
    return this.#ownership.drain();
  }

  /** Everything of this life ends at once, without a word: to the others it has ended before. */
  #depose(): void {
    this.#isDeposed = true;
    this.#reach.abandon(this.kernel);
    this.kernel.halt(noconnection);
    const error = new NodeDeposedError(this.address);
    this.logger.error({ event: error.code, incarnation: error.incarnation }, error.message);
    void this.#leave().then(() => this.#options.onDeposed?.(error));
  }

  /** Drains, stops what is left in reverse, gives its names up, and leaves the cluster. Nothing is left after its session was lost. */
  async stop(): Promise<void> {
    if (this.#isDeposed) return;
    await this.drain();
    for (const root of this.#roots.splice(0).toReversed()) {
      const ended = new Promise((resolve) => this.kernel.monitor(root, resolve));
      this.kernel.exit(root, shutdown);
      await ended;
    }
    await this.#leave();
    if (!this.#isDeposed) this.#reach.stop();
  }

  async #leave(): Promise<void> {
    for (const { unsubscribe } of this.#open.splice(0)) unsubscribe();
    this.#lag.stop();
    this.#ownership.handOffs.stop();
    this.#services.stop();
    await this.#ownership.sessions.stop();
    await this.#ownership.names.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #traits(): NodeTraits {
    const { labels = {}, weight = 1 } = this.#options;
    const load = { names: this.#ownership.names.ownCount, lagMs: this.#lag.lagMs };
    return { labels, weight, draining: this.#ownership.isDraining, load };
  }
}
