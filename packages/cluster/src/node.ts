/**
 * A node of a cluster: the kernel joined to the network, with everything that crosses nodes.
 *
 * @module
 */
import {
  CallError,
  callTimeoutMsDefault,
  type Clock,
  Kernel,
  type Logger,
  type NodeAddress,
  normal,
  type Pid,
  type Random,
  randomId,
  shutdown,
  sleep,
} from "@coppice/kernel";
import { type Store, Subjects, type Subscription, type Transport } from "@coppice/net";
import { type ChildEnvironment, startSupervisor, type SupervisorOptions } from "@coppice/otp";
import { noSuchName, serveAdmin } from "./admin.ts";
import { StartError } from "./errors.ts";
import { Membership } from "./membership.ts";
import { type NameEntry, Names } from "./names.ts";
import { openDoor } from "./open-door.ts";
import { PeerLinks } from "./peer-links.ts";
import { PubSub } from "./pubsub.ts";
import { Sessions } from "./sessions.ts";
import { startSingleton } from "./singleton.ts";

/** What a node is made with. The transport and the store stay the caller's to close. */
export interface NodeOptions {
  /** Unique in the cluster. */
  readonly name: string;
  readonly cluster: string;
  readonly osPid: number;
  readonly transport: Transport;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A call to a name. */
export interface NodeCallOptions {
  /** In milliseconds. Default: 5_000. */
  readonly timeoutMs?: number;
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
/** How long to wait for news of a name before a call that did not run is tried again, in milliseconds. */
const retryEveryMs = 50;

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
  readonly #osPid: number;
  readonly #transport: Transport;
  readonly #subjects: Subjects;
  readonly #sessions: Sessions;
  readonly #names: Names;
  readonly #membership: Membership;
  readonly #links: PeerLinks;
  readonly #lostObservers = new Set<() => void>();
  readonly #services: Subscription[] = [];
  readonly #roots: Pid[] = [];
  readonly #stopStatus: () => void;

  constructor(options: NodeOptions) {
    const { name, cluster, clock, random, logger, transport, store } = options;
    const incarnation = randomId(random);
    const address = { node: name, incarnation };
    const subjects = new Subjects(cluster);
    const shared = { self: address, clock, logger, transport, subjects };
    this.name = name;
    this.cluster = cluster;
    this.address = address;
    this.clock = clock;
    this.random = random;
    this.logger = logger;
    this.kernel = new Kernel({ node: name, incarnation, clock, random, logger });
    this.pubsub = new PubSub({ kernel: this.kernel, transport, subjects });
    this.#osPid = options.osPid;
    this.#transport = transport;
    this.#subjects = subjects;
    this.#sessions = new Sessions({
      ...shared,
      store,
      observer: {
        began: (address) => this.#membership.heard(address),
        changed: () => this.#names.sessionsChanged(),
        lost: () => this.#lostObservers.forEach((observer) => observer()),
      },
    });
    const isAlive = (owner: NodeAddress): boolean => this.#sessions.isAlive(owner);
    this.#names = new Names({ self: address, store, isAlive });
    this.#links = new PeerLinks({
      ...shared,
      receiver: {
        heard: (from) => this.#membership.heard(from),
        receive: (signal) => this.kernel.receive(signal),
        gap: (from) => this.kernel.nodeDown(from),
      },
    });
    this.#membership = new Membership({
      ...shared,
      self: { ...address, osPid: options.osPid },
      observer: {
        up: (member) => this.#links.up(member),
        down: (member, gone) => {
          this.#links.down(member);
          this.kernel.nodeDown(member);
          if (gone) void this.#sessions.end(member, member.seenMs);
        },
        echo: (sentMs) => this.#sessions.echoed(sentMs),
      },
    });
    this.kernel.connect({ deliver: (signal) => this.#links.deliver(signal) });
    this.#stopStatus = transport.onStatus((status) => {
      if (status.type !== "error") {
        this.#membership.connectionChanged();
        this.#sessions.connectionChanged();
        logger.warn({ event: "connection", status: status.type }, `the network is ${status.type}`);
        return;
      }
      const fields = { event: "network_error", error: status.error.message };
      logger.error(fields, `the network reports: ${status.error.message}`);
    });
  }

  /** For {@link startNode}. */
  async join(): Promise<void> {
    await this.#names.start();
    await this.#sessions.start(); // Before anything is said: the name of this node may belong to another.
    this.#links.start();
    this.#membership.start();
    const subjects = this.#subjects;
    const transport = this.#transport;
    const { logger } = this;
    this.#services.push(
      openDoor({ transport, subjects, logger, call: (...call) => this.call(...call) }),
      serveAdmin(
        {
          kernel: this.kernel,
          self: { ...this.address, osPid: this.#osPid },
          members: () => [...this.#membership.members.values()],
          names: () => this.names(),
          call: (...call) => this.call(...call),
          pidOf: (name) => this.whereis(name),
        },
        transport,
        { own: subjects.admin(this.name), shared: subjects.anyAdmin },
      ),
    );
    await transport.flush();
    await this.#untilHeard();
  }

  /** Until this node's first heartbeat came back: before that it may not act for a name. */
  async #untilHeard(): Promise<void> {
    const deadline = this.clock.now() + firstEchoMsMax;
    while (!this.#sessions.mayAct() && this.clock.now() < deadline)
      await sleep(this.clock, firstEchoPollMs);
  }

  /**
   * Starts a supervisor with its children; a child with a name is unique in the cluster. Returns its pid.
   *
   * @throws {StartError} with the reason if a child does not start.
   */
  async start(options: SupervisorOptions, id = "app"): Promise<Pid> {
    const environment: ChildEnvironment = {
      kernel: this.kernel,
      names: {
        startNamed: (name, how) =>
          startSingleton(
            name,
            {
              kernel: this.kernel,
              names: this.#names,
              sessions: this.#sessions,
              onSessionLost: (observer) => {
                this.#lostObservers.add(observer);
                return () => this.#lostObservers.delete(observer);
              },
            },
            how,
          ),
      },
    };
    const result = await startSupervisor(this.kernel, options, { label: id }, environment);
    if (result.type !== "started")
      throw new StartError(id, result.type === "failed" ? result.reason : normal);
    this.#roots.push(result.pid);
    return result.pid;
  }

  /** The process that answers to a name, here or on another node. */
  whereis(name: string): Pid | undefined {
    return this.kernel.whereis(name) ?? this.#names.get(name)?.pid;
  }

  /** Every name of the cluster. */
  names(): NameEntry[] {
    return this.#names.list();
  }

  /**
   * Calls a process by its name, wherever it lives. While the name changes hands the call waits; what certainly did not
   * run is sent again, what may have run is not.
   *
   * @throws {CallError} as `Kernel.call`; `noproc` at once if nobody holds the name.
   */
  async call(
    name: string,
    method: string,
    args: readonly unknown[],
    options: NodeCallOptions = {},
  ): Promise<unknown> {
    const { timeoutMs = callTimeoutMsDefault } = options;
    const deadline = this.clock.now() + timeoutMs;
    let failure: CallError | undefined;
    while (true) {
      const leftMs = deadline - this.clock.now();
      const pid = this.whereis(name);
      if (pid === undefined && this.#names.get(name) === undefined)
        throw failure ?? noSuchName(name);
      if (leftMs <= 0) throw failure ?? startingStill(name, method, timeoutMs);
      if (pid !== undefined) {
        try {
          return await this.kernel.call(pid, method, args, { timeoutMs: leftMs, label: name });
        } catch (thrown) {
          if (!(thrown instanceof CallError) || !mayRetry(thrown)) throw thrown;
          failure = thrown;
        }
      }
      await this.#newsOf(name, Math.min(retryEveryMs, leftMs));
    }
  }

  /** A name to call, with the types of the class that answers to it: `node.ref<Stack>("stack").call("pop", [])`. */
  ref<T = AnyFunctions>(name: string): Ref<T> {
    return {
      call: (method, args, callOptions) => this.call(name, method, args, callOptions) as never,
      cast: (method, args) => this.cast(name, method, args),
    };
  }

  /** Sends a request to a name that nobody waits for. It is lost if nobody holds the name. */
  cast(name: string, method: string, args: readonly unknown[]): void {
    const pid = this.whereis(name);
    if (pid !== undefined) this.kernel.cast(pid, method, args);
  }

  /** Stops what was started, in reverse, gives its names up, and leaves the cluster. */
  async stop(): Promise<void> {
    for (const root of this.#roots.splice(0).toReversed()) {
      const ended = new Promise((resolve) => this.kernel.monitor(root, resolve));
      this.kernel.exit(root, shutdown);
      await ended;
    }
    for (const { unsubscribe } of this.#services.splice(0)) unsubscribe();
    await this.#sessions.stop();
    await this.#names.stop();
    this.pubsub.stop();
    this.#links.stop();
    this.#membership.stop();
    this.#stopStatus();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Waits until a name changes, at most so long. */
  async #newsOf(name: string, atMostMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.#names.observe((changed) => changed === name && resolve());
    await Promise.race([promise, sleep(this.clock, atMostMs)]);
    stop();
  }
}

/** What certainly did not run because the process was not there. */
function mayRetry({ code, executed }: CallError): boolean {
  return executed === "no" && (code === "noproc" || code === "noconnection" || code === "exited");
}

function startingStill(name: string, method: string, timeoutMs: number): CallError {
  const message = `${name}.${method}: no process took the name within ${timeoutMs} ms`;
  return new CallError({ code: "timeout", executed: "no", message });
}
