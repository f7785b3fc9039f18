/**
 * Broadcasts to ten subscribers on two nodes, as fast as all of them keep up.
 *
 * @module
 */
import { type ClusterNode, startNode } from "coppice";
import { startBenchNode, startBenchServer } from "./cluster-nats.ts";
import type { Figure } from "./figures.ts";

export const topic = "bench";
/** The group that is told how far a subscriber is. */
export const publishers = "publishers";
export const subscribersPerNode = 5;
/** A subscriber of the other node says how far it is after so many messages. */
export const acknowledgeEvery = 2_000;
export const mailboxMax = 100_000;
/** How far the publisher may be ahead of it. */
const aheadMax = 20_000;
/** Broadcasts between two looks at the event loop. */
const burst = 500;
const warmUpMs = 1_000;
const measureMs = 4_000;
/** How long the other node may take for what was sent last. */
const lagMsMax = 10_000;
const aim = 3_000_000;
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** How far both sides are, in broadcasts. */
interface Progress {
  sent: number;
  acknowledged: number;
}

export async function measurePubSub(): Promise<Figure[]> {
  await using server = await startBenchServer();
  await using node = await startNode({
    name: "a",
    cluster: "bench",
    servers: [server.url],
    logger,
  });
  const other = await startBenchNode(["subscribers", "b", server.url]);
  try {
    const progress: Progress = { sent: 0, acknowledged: 0 };
    const publisher = node.kernel.spawn({
      handle: (message) => {
        if (message.type === "info") progress.acknowledged = message.message as number;
      },
    });
    node.groups.join(publishers, publisher);
    for (let index = 0; index < subscribersPerNode; index += 1) listen(node);
    await publish(node, progress, warmUpMs);
    const [fromSent, fromMs] = [progress.sent, performance.now()];
    await publish(node, progress, measureMs);
    const seconds = (performance.now() - fromMs) / 1_000;
    const deliveries = ((progress.sent - fromSent) * subscribersPerNode * 2) / seconds;
    return [
      {
        what: "pubsub: deliveries a second to 10 subscribers on 2 nodes, 16 bytes",
        value: `${(deliveries / 1e6).toFixed(2)} million`,
        aim: `>= ${aim / 1e6} million, ${deliveries >= aim ? "met" : "missed"}`,
      },
    ];
  } finally {
    await other.end("SIGTERM");
  }
}

function listen(node: ClusterNode): void {
  const pid = node.kernel.spawn({ handle: () => {} }, { mailboxCapacity: mailboxMax });
  node.pubsub.subscribe(topic, pid, { waitingMax: mailboxMax });
}

/** Publishes for so long, and waits until the other node has all of it. */
async function publish(node: ClusterNode, progress: Progress, forMs: number): Promise<void> {
  const message = "0123456789abcdef";
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) {
    if (progress.sent - progress.acknowledged < aheadMax) {
      for (let count = 0; count < burst; count += 1) node.pubsub.broadcast(topic, message);
      progress.sent += burst;
    }
    await turn();
  }
  const giveUpMs = performance.now() + lagMsMax;
  while (progress.acknowledged < progress.sent - (progress.sent % acknowledgeEvery)) {
    if (performance.now() > giveUpMs)
      throw new Error(`of ${progress.sent} broadcasts ${progress.acknowledged} arrived`);
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
