/**
 * Topics: what one process broadcasts reaches every subscribed process of every node.
 *
 * One network subscription a topic and node; within the node the message is handed out directly. At most once, in the
 * order of each broadcaster; a slow or dead subscriber is not waited for.
 *
 * @module
 */
import { assertPlainData, type Kernel, type NodeAddress, type Pid } from "@coppice/kernel";
import {
  BadFrameError,
  decode,
  encode,
  type Subjects,
  type Subscription,
  type Transport,
} from "@coppice/net";

interface Topic {
  readonly subscription: Subscription;
  /** By printed pid, with what stops its monitor. */
  readonly subscribers: Map<string, { readonly pid: Pid; readonly stop: () => void }>;
}

export class PubSub {
  readonly #kernel: Kernel;
  readonly #transport: Transport;
  readonly #subjects: Subjects;
  readonly #topics = new Map<string, Topic>();

  constructor(options: {
    readonly kernel: Kernel;
    readonly transport: Transport;
    readonly subjects: Subjects;
  }) {
    this.#kernel = options.kernel;
    this.#transport = options.transport;
    this.#subjects = options.subjects;
  }

  /** Delivers what is broadcast on a topic to a local process, as plain messages, until it ends. */
  subscribe(topic: string, pid: Pid): void {
    const { subscribers } = this.#topics.get(topic) ?? this.#open(topic);
    const key = pid.toString();
    if (subscribers.has(key)) return;
    const stop = this.#kernel.monitor(pid, () => this.#leave(topic, key));
    subscribers.set(key, { pid, stop });
  }

  unsubscribe(topic: string, pid: Pid): void {
    const key = pid.toString();
    this.#topics.get(topic)?.subscribers.get(key)?.stop();
    this.#leave(topic, key);
  }

  /** Sends to every subscriber of the topic on every node. @throws {NotPlainDataError} */
  broadcast(topic: string, message: unknown): void {
    assertPlainData(message, "message");
    const { node, incarnation } = this.#kernel.address;
    this.#transport.publish(this.#subjects.topic(topic), encode([node, incarnation, message]));
    this.#deliver(topic, message);
  }

  /** How many topics have a subscriber here. */
  get size(): number {
    return this.#topics.size;
  }

  stop(): void {
    for (const { subscription, subscribers } of this.#topics.values()) {
      subscription.unsubscribe();
      for (const { stop } of subscribers.values()) stop();
    }
    this.#topics.clear();
  }

  #open(name: string): Topic {
    const subscription = this.#transport.subscribe(this.#subjects.topic(name), ({ data }) => {
      const { from, message } = parse(decode(data));
      const own = this.#kernel.address;
      if (from.node === own.node && from.incarnation === own.incarnation) return; // Handed out already.
      this.#deliver(name, message);
    });
    const topic: Topic = { subscription, subscribers: new Map() };
    this.#topics.set(name, topic);
    return topic;
  }

  #leave(name: string, key: string): void {
    const topic = this.#topics.get(name);
    topic?.subscribers.delete(key);
    if (topic === undefined || topic.subscribers.size > 0) return;
    topic.subscription.unsubscribe();
    this.#topics.delete(name);
  }

  #deliver(name: string, message: unknown): void {
    for (const { pid } of this.#topics.get(name)?.subscribers.values() ?? [])
      this.#kernel.send(pid, message);
  }
}

function parse(value: unknown): { readonly from: NodeAddress; readonly message: unknown } {
  const [node, incarnation, message] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof node !== "string" || typeof incarnation !== "string")
    throw new BadFrameError("a broadcast is malformed");
  return { from: { node, incarnation }, message };
}
