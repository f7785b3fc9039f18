/**
 * Broadcasts with numbers, and subscribers on every node that write down what arrives and what they are told is missing.
 *
 * @module
 */
import { MissedMessages } from "@coppice/cluster";
import { GenServer } from "@coppice/otp";
import { pace, type Workload, type WorkloadContext } from "./workload.ts";

const busyTopics = ["news", "prices", "weather"];
/** One broadcast in a while: what is lost here has nothing after it that shows it. */
const rareTopic = "notices";
const topics = [...busyTopics, rareTopic];
/** In milliseconds. */
const rareEveryMs = 5_000;
/** For each topic and node. */
const subscribersPerTopic = 2;

type Numbered = readonly [publisher: string, number: number];

class Subscriber extends GenServer {
  readonly #context: WorkloadContext;
  readonly #topic: string;
  /** The latest life of each node that was heard. */
  readonly #publishers = new Map<string, string>();

  constructor(context: WorkloadContext, topic: string) {
    super();
    this.#context = context;
    this.#topic = topic;
  }

  override init(): void {
    const { node, log } = this.#context;
    const { pid } = this.self;
    const life = { node: node.name, pid: pid.toString() };
    log.record({ type: "start", ...life });
    node.kernel.monitor(pid, () => log.record({ type: "end", ...life }));
    node.pubsub.subscribe(this.#topic, pid);
  }

  override handleInfo(message: unknown): void {
    const { log } = this.#context;
    const subscriber = this.self.pid.toString();
    const topic = this.#topic;
    if (message instanceof MissedMessages) {
      const { node = "*", count: missed } = message;
      const publisher = this.#publishers.get(node) ?? node;
      log.record({ type: "gap", subscriber, publisher, topic, missed });
    } else {
      const [publisher, number] = message as Numbered;
      this.#publishers.set(nodeOf(publisher), publisher);
      log.record({ type: "delivery", subscriber, publisher, topic, number });
    }
  }
}

function nodeOf(publisher: string): string {
  return publisher.slice(0, publisher.indexOf("/"));
}

export function topicsWorkload(context: WorkloadContext, perSecond: number): Workload {
  const { node, log, life: publisher } = context;
  const numbers = new Map(topics.map((topic) => [topic, 0]));
  let turn = 0;
  let stopPacing: (() => void) | undefined;
  let rareTimer: NodeJS.Timeout | undefined;

  const publish = (topic: string): void => {
    const number = numbers.get(topic)! + 1;
    numbers.set(topic, number);
    log.record({ type: "publish", publisher, topic, number });
    node.pubsub.broadcast(topic, [publisher, number] satisfies Numbered);
  };
  return {
    children: topics.flatMap((topic) =>
      Array.from({ length: subscribersPerTopic }, (_, index) => ({
        id: `${topic}-${index + 1}`,
        start: [Subscriber, context, topic] as const,
      })),
    ),
    start: () => {
      stopPacing = pace(perSecond, () => {
        publish(busyTopics[turn % busyTopics.length]!);
        turn += 1;
      });
      rareTimer = setInterval(() => publish(rareTopic), rareEveryMs);
    },
    stop: () => {
      stopPacing?.();
      clearInterval(rareTimer);
    },
  };
}
