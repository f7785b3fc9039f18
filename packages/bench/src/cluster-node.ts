/**
 * One node of the cluster's benchmarks, as a process: subscribers, or children of the cluster supervisor.
 *
 * @module
 */
import { type ClusterNode, GenServer, startNode } from "coppice";
import {
  acknowledgeEvery,
  mailboxMax,
  publishers,
  subscribersPerNode,
  topic,
} from "./cluster-pubsub.ts";

const settleMs = 500;
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

class Named extends GenServer {
  where(): string {
    return this.self.pid.node;
  }
}

/** Subscribers that say after every so many messages how many they have. */
function subscribe(node: ClusterNode): void {
  for (let index = 0; index < subscribersPerNode; index += 1) {
    let got = 0;
    const pid = node.kernel.spawn(
      {
        handle: (message) => {
          if (message.type !== "info") return;
          got += 1;
          if (index === 0 && got % acknowledgeEvery === 0) node.groups.publish(publishers, got);
        },
      },
      { mailboxCapacity: mailboxMax },
    );
    node.pubsub.subscribe(topic, pid, { waitingMax: mailboxMax });
  }
}

const [what = "", name = "", url = ""] = process.argv.slice(2);
const node = await startNode({ name, cluster: "bench", servers: [url], logger });
if (what === "subscribers") subscribe(node);
else await node.startClusterSupervisor({ name: "names", kinds: { named: Named } });
// A subscription takes effect when the server has it: what is broadcast before that is not for it.
await new Promise((resolve) => setTimeout(resolve, settleMs));
process.once("SIGTERM", () => void node.stop().then(() => process.exit(0)));
process.stderr.write("ready\n");
