import { seededRandom } from "@coppice/kernel";
import { noFaults } from "@coppice/testkit";
import { describeStore, describeTransport } from "@coppice/testkit/contracts";
import { SimulatedConnection } from "../src/simulation/simulated-connection.ts";
import { SimulatedHost } from "../src/simulation/simulated-host.ts";
import { SimulatedLink } from "../src/simulation/simulated-link.ts";
import { SimulatedNetwork } from "../src/simulation/simulated-network.ts";
import { noViewFaults, SimulatedStoreView } from "../src/simulation/simulated-store-view.ts";
import { SimulatedStore } from "../src/simulation/simulated-store.ts";
import { SimulatedTime } from "../src/simulation/simulated-time.ts";
import { Trace } from "../src/simulation/trace.ts";

const stepMs = 5;

/** A world whose time goes on by itself: the contracts wait for what arrives. */
function world() {
  const time = new SimulatedTime();
  const random = seededRandom(1);
  const trace = new Trace(() => time.nowMs);
  const network = new SimulatedNetwork(trace);
  const store = new SimulatedStore(time, trace);
  let isOver = false;
  const pump = async (): Promise<void> => {
    while (!isOver) await time.advance(stepMs);
  };
  const pumping = pump();
  let machines = 0;
  const connect = () => {
    machines += 1;
    const host = new SimulatedHost(`m${machines}`, time, { rate: 1, startMs: 0 });
    const link = new SimulatedLink();
    link.set({ in: { ...noFaults, delayMs: [0.2, 2] } });
    const connection = new SimulatedConnection({ host, time, random, link, network });
    const place = { faults: noViewFaults };
    const view = new SimulatedStoreView({ store, place, host, connection, time, random, trace });
    return { connection, view };
  };
  const stop = async (): Promise<void> => {
    isOver = true;
    await pumping;
  };
  return { connect, stop };
}

describeTransport("simulated", async () => {
  const { connect, stop } = world();
  return { connect: async () => connect().connection, stop };
});

describeStore("simulated", async () => {
  const { connect, stop } = world();
  return { store: connect().view, stop };
});
