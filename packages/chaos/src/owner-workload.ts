/**
 * A workload from a seed: three nodes call one named process while nodes are cut off from the network at random.
 *
 * Everything runs in one thread on a simulated clock; the same seed gives the same history. Of a node that is cut off
 * either the messages are lost, or the store as well.
 *
 * @module
 */
import { type ClusterNode, startNode } from "@coppice/cluster";
import { seededRandom, silentLogger } from "@coppice/kernel";
import { MemoryNetwork, MemoryStore } from "@coppice/net";
import { GenServer } from "@coppice/otp";
import { simulatedClock } from "@coppice/testkit";
import { CuttableStore } from "./cuttable-store.ts";
import type { Act } from "./owner-history.ts";

/** What a run did. */
export interface WorkloadResult {
  readonly history: readonly Act[];
  /** Calls that were answered. */
  readonly answered: number;
  /** Calls that failed, as they may while a name changes hands. */
  readonly failed: number;
  readonly cuts: number;
}

const stepMs = 100;
const cutMsMax = 6_000;
/** One step in so many cuts a node off. */
const cutOneIn = 30;
const callTimeoutMs = 2_000;

/** Runs for so much simulated time. */
export async function runOwnerWorkload(seed: number, durationMs: number): Promise<WorkloadResult> {
  const random = seededRandom(seed);
  const below = (count: number): number => random.u32() % count;
  const clock = simulatedClock();
  const network = new MemoryNetwork({ clock });
  const shared = new MemoryStore({ clock });
  const history: Act[] = [];
  class Actor extends GenServer {
    act(): void {
      history.push({ atMs: clock.now(), pid: this.self.pid.toString() });
    }
  }
  const machines = ["a", "b", "c"].map((name) => ({
    name,
    transport: network.connect(),
    store: new CuttableStore(shared),
  }));
  const nodes: ClusterNode[] = [];
  for (const { name, transport, store } of machines) {
    const starting = startNode({
      name,
      cluster: "chaos",
      osPid: 1,
      transport,
      store,
      clock,
      random,
      logger: silentLogger,
    });
    await clock.advance(stepMs);
    const node = await starting;
    const child = { id: "actor", name: "actor", start: [Actor] as const };
    const started = node.start({ strategy: "one_for_one", maxRestarts: 1_000, children: [child] });
    await clock.advance(stepMs);
    await started;
    nodes.push(node);
  }
  let [answered, failed, cuts] = [0, 0, 0];
  const calls: Promise<void>[] = [];
  for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
    for (const node of nodes)
      calls.push(
        node.call("actor", "act", [], { timeoutMs: callTimeoutMs }).then(
          () => void (answered += 1),
          () => void (failed += 1),
        ),
      );
    if (below(cutOneIn) === 0) {
      cuts += 1;
      const { transport, store } = machines[below(machines.length)]!;
      transport.disconnect();
      if (below(2) === 0) store.cut();
      clock.after(below(cutMsMax), () => {
        transport.reconnect();
        store.reconnect();
      });
    }
    await clock.advance(stepMs);
  }
  await clock.advance(cutMsMax + callTimeoutMs);
  await Promise.all(calls);
  const stopping = Promise.all(nodes.map((node) => node.stop()));
  await clock.advance(callTimeoutMs);
  await stopping;
  return { history, answered, failed, cuts };
}
