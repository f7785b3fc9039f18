/**
 * The processes of the simulated workload: what is called, what crashes, what watches, and what listens.
 *
 * @module
 */
import { type ClusterNode, MissedMessages } from "@coppice/cluster";
import { type Behaviour, describeReason, type Pid, type Self, sleep } from "@coppice/kernel";
import { type ChildSpec, GenServer, supervisor } from "@coppice/otp";
import { crashMessage, type Recorder } from "./recorder.ts";

/** The named processes that every node has among its children. */
export const singletonNames = ["red", "green"] as const;
/** A name that running processes are registered under. */
export const registeredName = "blue";
/** What is broadcast on. */
export const topic = "news";
/** More restarts than this within this time, and the workers' supervisor gives up. */
export const workerIntensity = { maxRestarts: 3, maxSeconds: 5 } as const;

/** What a process and its recorder are given. */
export interface ProcessContext {
  readonly node: ClusterNode;
  readonly recorder: Recorder;
}

/** What an answer says of who gave it. */
export interface Answer {
  /** Nothing from a process that does not act for the name any more. */
  readonly epoch?: number;
}

/** A name's epoch, as its owner knows it. */
export function epochOf({ node }: ProcessContext, name: string): number {
  return node.names().find((entry) => entry.name === name)?.epoch ?? 0;
}

/** The children of a node's root supervisor. */
export function rootChildren(context: ProcessContext): ChildSpec[] {
  const named = singletonNames.map((name): ChildSpec => ({
    id: name,
    name,
    start: [Singleton, context, name],
  }));
  const workers = ["first", "second"].map((id): ChildSpec => ({
    id,
    start: [Worker, context, id],
  }));
  const inner = supervisor({
    id: "workers",
    strategy: "one_for_one",
    ...workerIntensity,
    children: workers,
  });
  return [...named, inner];
}

/** Notes when a process began and when it ended. */
function noteLife(
  { node, recorder }: ProcessContext,
  pid: Pid,
  more: { readonly supervisor?: string; readonly child?: string } = {},
): void {
  const printed = pid.toString();
  recorder.started(node.name, printed, more);
  node.kernel.monitor(pid, () => recorder.ended(node.name, printed));
}

function noteExecution(
  { node, recorder }: ProcessContext,
  id: string,
  name: string,
  pid: Pid,
): Answer {
  const epoch = epochOf({ node, recorder }, name);
  recorder.record({ type: "execution", id, name, node: node.name, pid: pid.toString(), epoch });
  return { epoch };
}

/** Unique in the cluster. */
class Singleton extends GenServer {
  readonly #context: ProcessContext;
  readonly #name: string;

  constructor(context: ProcessContext, name: string) {
    super();
    this.#context = context;
    this.#name = name;
  }

  override init(): void {
    noteLife(this.#context, this.self.pid);
  }

  act(id: string): Answer {
    return noteExecution(this.#context, id, this.#name, this.self.pid);
  }

  /** Takes a while, so that the lease may run out before the answer. */
  async work(id: string, ms: number): Promise<Answer> {
    const answer = noteExecution(this.#context, id, this.#name, this.self.pid);
    await sleep(this.#context.node.clock, ms);
    this.#context.recorder.finish(id);
    return answer;
  }

  crash(): void {
    throw new Error(crashMessage);
  }
}

/** Without a name, of one node. */
class Worker extends GenServer {
  readonly #context: ProcessContext;
  readonly #id: string;

  constructor(context: ProcessContext, id: string) {
    super();
    this.#context = context;
    this.#id = id;
  }

  override init(): void {
    const { pid, parent } = this.self;
    noteLife(this.#context, pid, { supervisor: String(parent), child: this.#id });
    workersOf.set(this.#context.node, { ...workersOf.get(this.#context.node), [this.#id]: pid });
  }

  crash(): void {
    throw new Error(crashMessage);
  }
}

/** The workers that started last. */
const workersOf = new WeakMap<ClusterNode, Readonly<Record<string, Pid>>>();

export function workersOn(node: ClusterNode): Pid[] {
  return Object.values(workersOf.get(node) ?? {});
}

/** A process that can be registered. */
export interface Registrable {
  readonly pid: Pid;
  /** It is being unregistered: from now on it does not act for the name. */
  readonly giveUp: () => void;
}

/**
 * A process that can be registered: it answers as a singleton does. Once it was unregistered it still answers what waits for
 * it, under another name, because it does not act for the name any more.
 */
export function spawnRegistrable(context: ProcessContext): Registrable {
  let epoch = 0;
  let isGivenUp = false;
  const behaviour: Behaviour = {
    handle: (message, self) => {
      if (message.type !== "call") return;
      const entry = context.node.names().find((each) => each.name === registeredName);
      const isOwner = entry?.pid?.toString() === self.pid.toString() && !isGivenUp;
      if (isOwner) ({ epoch } = entry);
      const { recorder, node } = context;
      const pid = self.pid.toString();
      const name = isOwner ? registeredName : `formerly ${registeredName} of ${pid}`;
      const id = String(message.args[0]);
      recorder.record({ type: "execution", id, name, node: node.name, pid, epoch });
      message.reply({ ok: true, value: isOwner ? { epoch } : {} });
    },
  };
  const pid = context.node.kernel.spawn(behaviour);
  noteLife(context, pid);
  const giveUp = (): void => {
    isGivenUp = true;
    context.recorder.unregister(pid.toString());
  };
  return { pid, giveUp };
}

/** Watches processes, by monitors and by links, and notes what it is told. */
export class Watcher {
  readonly #context: ProcessContext;
  readonly #self: Self[] = [];
  readonly #monitored = new Map<number, string>();
  readonly #linked = new Map<string, string>();
  #count = 0;
  readonly pid: Pid;

  constructor(context: ProcessContext) {
    this.#context = context;
    const behaviour: Behaviour = {
      start: (self) => void this.#self.push(self),
      handle: (message) => {
        if (message.type === "down")
          this.#down(this.#monitored.get(message.ref), message.reason.type);
        if (message.type === "exit") {
          const from = message.from.toString();
          this.#down(this.#linked.get(from), describeReason(message.reason));
          this.#linked.delete(from);
        }
      },
    };
    this.pid = context.node.kernel.spawn(behaviour, { trapExit: true });
    noteLife(context, this.pid);
  }

  monitor(target: Pid): void {
    const [self] = this.#self;
    if (self === undefined) return;
    const ref = this.#note(target);
    this.#monitored.set(self.monitor(target), ref);
  }

  demonitorOne(): void {
    const [self] = this.#self;
    const [first] = this.#monitored;
    if (self === undefined || first === undefined) return;
    const [number, ref] = first;
    this.#monitored.delete(number);
    if (self.demonitor(number, { flush: true }))
      this.#context.recorder.record({
        type: "demonitor",
        ref,
        watcher: this.pid.toString(),
        target: "",
      });
  }

  link(target: Pid): void {
    const [self] = this.#self;
    const key = target.toString();
    if (self === undefined || this.#linked.has(key)) return;
    this.#linked.set(key, this.#note(target));
    self.link(target);
  }

  #note(target: Pid): string {
    this.#count += 1;
    const watcher = this.pid.toString();
    const ref = `${watcher}/${this.#count}`;
    this.#context.recorder.record({ type: "monitor", ref, watcher, target: target.toString() });
    return ref;
  }

  #down(ref: string | undefined, reason: string): void {
    if (ref === undefined) return;
    const watcher = this.pid.toString();
    this.#context.recorder.record({ type: "down", ref, watcher, reason });
  }
}

/** What one node says, as its subscribers see it. */
interface News {
  readonly publisher: string;
  readonly number: number;
}

/** Subscribes to the topic and notes what arrives. */
export function spawnSubscriber({ node, recorder }: ProcessContext): Pid {
  /** The last life of each node that was heard. */
  const heard = new Map<string, string>();
  const behaviour: Behaviour = {
    handle: (message, self) => {
      if (message.type !== "info") return;
      const subscriber = self.pid.toString();
      const about = message.message;
      if (about instanceof MissedMessages) {
        const publisher = heard.get(about.node ?? "") ?? "";
        recorder.reached("gap reported");
        recorder.record({ type: "gap", subscriber, publisher, topic, missed: about.count });
      } else {
        const { publisher, number } = about as News;
        heard.set(publisher.split(".")[0]!, publisher);
        recorder.record({ type: "delivery", subscriber, publisher, topic, number });
      }
    },
  };
  const pid = node.kernel.spawn(behaviour);
  noteLife({ node, recorder }, pid);
  node.pubsub.subscribe(topic, pid);
  return pid;
}
