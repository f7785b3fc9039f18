/**
 * The workload of a simulated run: what each node does at random while faults happen, and what it does once all is well.
 *
 * @module
 */
import type { ClusterNode } from "@coppice/cluster";
import { CallError, kill, type Random } from "@coppice/kernel";
import type { SimulatedCluster } from "@coppice/testkit";
import type { Recorder } from "./recorder.ts";
import {
  type Answer,
  type ProcessContext,
  registeredName,
  type Registrable,
  rootChildren,
  singletonNames,
  spawnRegistrable,
  spawnSubscriber,
  topic,
  Watcher,
  workersOn,
} from "./workload-processes.ts";

/** How often each node does something, in milliseconds. */
const actEveryMs = 140;
/** How long a call may take, in milliseconds. */
const callTimeoutsMs = [300, 1_500, 4_000] as const;

/** The body of a call takes less than this, if it takes time at all, in milliseconds. */
const workMsMax = 1_500;
/** How much of that may wait for one name, in milliseconds: in the end every name has to answer within 9 s. */
const waitingMsMax = 5_000;

/** One life of a node, as the workload sees it. */
interface Participant {
  readonly context: ProcessContext;
  /** Who calls, and who publishes. */
  readonly caller: string;
  readonly watcher: Watcher;
  readonly called: Map<string, number>;
  published: number;
  registered: Registrable | undefined;
  isStopping: boolean;
}

export class Workload {
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #participants = new Map<string, Participant>();
  /** Until when each name is busy with what it was asked to do. */
  readonly #busyUntilMs = new Map<string, number>();
  #calls = 0;
  #cluster: SimulatedCluster | undefined;

  constructor(recorder: Recorder, random: () => Random) {
    this.#recorder = recorder;
    this.#random = { u32: () => random().u32() };
  }

  /** What runs on each node: for `onStart` of the cluster. */
  async begin(node: ClusterNode): Promise<void> {
    const recorder = this.#recorder;
    const context = { node, recorder };
    const children = rootChildren(context);
    await node.start({ strategy: "one_for_one", maxRestarts: 1_000, maxSeconds: 1, children });
    spawnSubscriber(context);
    const caller = `${node.name}.${node.address.incarnation}`;
    recorder.started(node.name, caller);
    this.#participants.set(node.name, {
      context,
      caller,
      watcher: new Watcher(context),
      called: new Map(),
      published: 0,
      registered: undefined,
      isStopping: false,
    });
  }

  /** Lets every node act from now on, until a time. */
  run(cluster: SimulatedCluster, untilMs: number): void {
    this.#cluster = cluster;
    const step = (name: string): void => {
      if (cluster.clock.now() >= untilMs) return;
      const everyMs = actEveryMs * (0.5 + this.#share());
      cluster.clock.after(everyMs, () => {
        const participant = this.#participants.get(name);
        if (participant !== undefined && this.#canAct(name)) this.#act(participant);
        step(name);
      });
    };
    for (const name of cluster.names) step(name);
  }

  /** A node is gone, or does nothing more. */
  ended(name: string): void {
    this.#participants.delete(name);
    this.#recorder.nodeEnded(name);
  }

  /** A node begins to stop: it starts nothing any more. */
  stopping(name: string): void {
    const participant = this.#participants.get(name);
    if (participant !== undefined) participant.isStopping = true;
  }

  /** Begins one call to each name from each node, and says later which of them were not answered. */
  callAll(timeoutMs: number): { readonly unanswered: () => string[] } {
    const open = new Map<string, Participant>();
    for (const participant of this.#participants.values())
      for (const name of singletonNames) {
        const title = `${participant.caller} to ${name}`;
        open.set(title, participant);
        const call = async (): Promise<void> => {
          const code = await this.#call(participant, name, "act", timeoutMs);
          if (code === undefined) open.delete(title);
        };
        void call();
      }
    return { unanswered: () => [...open.keys()] };
  }

  #canAct(name: string): boolean {
    return this.#cluster!.isRunning(name) && !this.#cluster!.isFrozen(name);
  }

  #act(participant: Participant): void {
    if (participant.isStopping) return;
    const dice = this.#random.u32() % 100;
    const name = singletonNames[this.#random.u32() % singletonNames.length]!;
    const timeoutMs = callTimeoutsMs[this.#random.u32() % callTimeoutsMs.length]!;
    if (dice < 40) void this.#call(participant, name, "act", timeoutMs);
    else if (dice < 48) void this.#call(participant, name, "work", timeoutMs);
    else if (dice < 55) void this.#call(participant, registeredName, "act", timeoutMs);
    else if (dice < 75) this.#publish(participant);
    else if (dice < 85) this.#watch(participant, name);
    else if (dice < 88) participant.watcher.demonitorOne();
    else if (dice < 92) this.#crashWorker(participant);
    else if (dice < 95) participant.context.node.cast(name, "crash", []);
    else this.#register(participant);
  }

  /** Resolves to the code of what went wrong, if something did. */
  async #call(
    participant: Participant,
    name: string,
    method: string,
    timeoutMs: number,
  ): Promise<string | undefined> {
    const { caller, called, context } = participant;
    this.#calls += 1;
    const id = `call ${this.#calls}`;
    const number = (called.get(name) ?? 0) + 1;
    called.set(name, number);
    this.#recorder.record({ type: "call", id, caller, name, number });
    const args = method === "work" ? [id, this.#workMs(name)] : [id];
    try {
      const answer = (await context.node.call(name, method, args, { timeoutMs })) as Answer;
      this.#recorder.record({ type: "outcome", id, outcome: "answer", ...answer });
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
      const { code, executed } = thrown;
      this.#recorder.reached(`call failed: ${code}, executed ${executed}`);
      this.#recorder.record({ type: "outcome", id, outcome: executed, code });
      return code;
    }
  }

  /** How long a body takes, in milliseconds. None where so much waits already that calls would not be answered in time. */
  #workMs(name: string): number {
    const ms = this.#random.u32() % workMsMax;
    const nowMs = this.#cluster!.clock.now();
    const busyUntilMs = Math.max(nowMs, this.#busyUntilMs.get(name) ?? 0) + ms;
    if (busyUntilMs > nowMs + waitingMsMax) return 0;
    this.#busyUntilMs.set(name, busyUntilMs);
    return ms;
  }

  #publish(participant: Participant): void {
    const { context, caller: publisher } = participant;
    participant.published += 1;
    const number = participant.published;
    this.#recorder.record({ type: "publish", publisher, topic, number });
    context.node.pubsub.broadcast(topic, { publisher, number });
  }

  #watch({ context, watcher }: Participant, name: string): void {
    const target = context.node.whereis(name);
    if (target === undefined) return;
    if (this.#random.u32() % 3 === 0 && target.node !== context.node.name) watcher.link(target);
    else watcher.monitor(target);
  }

  #crashWorker({ context }: Participant): void {
    const { node } = context;
    const workers = workersOn(node);
    // Sometimes so often that the supervisor gives up.
    const times = this.#random.u32() % 6 === 0 ? 5 : 1;
    for (let count = 0; count < times; count += 1)
      this.#cluster!.clock.after(count * 20, () => {
        if (!this.#canAct(node.name) || this.#cluster!.node(node.name) !== node) return;
        const current = workersOn(node);
        const pid = current[count % Math.max(1, current.length)];
        if (pid !== undefined) node.kernel.cast(pid, "crash", []);
      });
    if (workers.length > 0 && times > 1) this.#recorder.reached("worker crashed again and again");
  }

  #register(participant: Participant): void {
    const { context, registered } = participant;
    const { node } = context;
    const failed = (thrown: unknown): void => {
      const code = (thrown as { readonly code?: string }).code ?? String(thrown);
      this.#recorder.reached(`register failed: ${code}`);
    };
    if (registered !== undefined && node.kernel.isAlive(registered.pid)) {
      participant.registered = undefined;
      const { pid, giveUp } = registered;
      if (this.#random.u32() % 2 === 0) {
        node.kernel.exit(pid, kill);
        return;
      }
      giveUp();
      node.unregister(registeredName).then(
        () => this.#recorder.reached("unregistered"),
        (thrown: unknown) => {
          failed(thrown);
          this.#recorder.wasNotRegistered(pid.toString());
        },
      );
      return;
    }
    const registrable = spawnRegistrable(context);
    const { pid } = registrable;
    participant.registered = registrable;
    node.register(registeredName, pid).then(
      () => this.#recorder.reached("registered"),
      (thrown: unknown) => {
        failed(thrown);
        node.kernel.exit(pid, kill);
      },
    );
  }

  #share(): number {
    return this.#random.u32() / 2 ** 32;
  }
}
