/**
 * What a cluster says while nothing happens: messages for each beat, for clusters of several sizes, simulated.
 *
 * @module
 */
import { startNode } from "@coppice/cluster";
import { seededRandom } from "@coppice/kernel";
import { MemoryNetwork, MemoryStore } from "@coppice/net";
import { simulatedClock } from "@coppice/testkit";
import type { Figure } from "./figures.ts";

const sizes = [3, 30, 300];
const cluster = "bench";
/** Until all know each other, and long enough after that for what follows a first meeting. */
const settleMs = 2_500;
const measureMs = 500;
const beatMs = 100;

export async function measureHeartbeats(say: (line: string) => void): Promise<Figure[]> {
  const counts: string[] = [];
  let isLinear = true;
  for (const size of sizes) {
    say(`heartbeats of ${size} simulated nodes`);
    const perBeat = await messagesPerBeat(size);
    counts.push(`${size} nodes ${perBeat.toFixed(1)}`);
    isLinear &&= perBeat <= 2 * size;
  }
  return [
    {
      what: "idle cluster: messages of all nodes a beat of 100 ms",
      value: counts.join("; "),
      aim: `at most 2 a node, ${isLinear ? "met" : "missed"}`,
    },
  ];
}

async function messagesPerBeat(size: number): Promise<number> {
  const clock = simulatedClock();
  const network = new MemoryNetwork({ clock });
  const store = new MemoryStore({ clock });
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const starting = Array.from({ length: size }, (_, index) =>
    startNode({
      name: `n${index}`,
      cluster,
      osPid: index,
      transport: network.connect(),
      store,
      clock,
      random: seededRandom(index),
      logger,
    }),
  );
  await clock.advance(settleMs);
  await Promise.all(starting);
  let messages = 0;
  network.connect().subscribe(`coppice.v1.${cluster}.>`, () => {
    messages += 1;
  });
  await clock.advance(measureMs);
  return messages / (measureMs / beatMs);
}
