import { simulatedCluster } from "@coppice/testkit";
import { GenServer } from "@coppice/otp";
import { expect, test } from "vitest";

class Counter extends GenServer {
  #count = 0;
  add(): number {
    this.#count += 1;
    return this.#count;
  }
}

const seeds = 40;

test("D1: a node that has just started loses no call, whichever of the network and the store is faster", async () => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const cluster = simulatedCluster({
      seed,
      nodes: ["a", "b"],
      onStart: (node) =>
        node.name === "b"
          ? Promise.resolve()
          : node.start({
              strategy: "one_for_one",
              children: [{ id: "counter", name: "counter", start: [Counter] }],
            }),
    });
    await cluster.start("a");
    await cluster.advance(1_000);
    await cluster.start("b");
    for (const count of [1, 2, 3])
      expect(await cluster.run(cluster.node("b").call("counter", "add", [])), `seed ${seed}`).toBe(
        count,
      );
  }
});
