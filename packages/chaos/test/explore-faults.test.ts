import type { ClusterNode } from "@coppice/cluster";
import { GenServer } from "@coppice/otp";
import { type ExploreOptions, exploreFaults, FaultPlanFailedError } from "@coppice/chaos";
import type { SimulatedCluster } from "@coppice/testkit";
import { expect, test } from "vitest";

/** Hands out numbers of orders, counting from one in each of its lives. */
class Orders extends GenServer {
  #last = 0;
  place(): string {
    this.#last += 1;
    return String(this.#last);
  }
}

/** The same, with the number of the life in front. */
class OrdersByEpoch extends GenServer {
  readonly #node: ClusterNode;
  #last = 0;
  constructor(node: ClusterNode) {
    super();
    this.#node = node;
  }
  place(): string {
    this.#last += 1;
    const { epoch } = this.#node.names().find(({ name }) => name === "orders")!;
    return `${epoch}-${this.#last}`;
  }
}

function ordersTest(start: (node: ClusterNode) => unknown): ExploreOptions {
  let given: string[] = [];
  return {
    kinds: ["crash", "freeze"],
    seeds: 20,
    onStart: start,
    during: async (cluster: SimulatedCluster) => {
      given = [];
      for (let count = 0; count < 30; count += 1) {
        const name = cluster.names.find((each) => cluster.isRunning(each));
        const call =
          name === undefined ? undefined : cluster.node(name).call("orders", "place", []);
        call?.then(
          (order) => given.push(order as string),
          () => {}, // Not placed, or nobody knows.
        );
        await cluster.clock.sleep(300);
      }
    },
    after: () => {
      const twice = given.filter((order, index) => given.indexOf(order) !== index);
      if (twice.length > 0) throw new Error(`order ${twice[0]} was given twice`);
    },
  };
}

const supervised = (
  child: readonly [typeof Orders] | readonly [typeof OrdersByEpoch, ClusterNode],
) =>
  ({
    strategy: "one_for_one",
    children: [{ id: "orders", name: "orders", start: child }],
  }) as const;

test("finds a bug of a process that takes over, with one fault and its seed", async () => {
  const options = ordersTest((node) => node.start(supervised([Orders])));
  const failure = await exploreFaults(options).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(FaultPlanFailedError);
  const { seed, plan, message } = failure as FaultPlanFailedError;
  expect(plan).toHaveLength(1);
  expect(message).toMatch(
    /^seed \d+ fails: order 1 was given twice\n {2}at [\d ]+ ms node [abc] (?:was killed|froze)/,
  );
  const again = await exploreFaults({ ...options, from: seed, seeds: 1 }).catch(
    (thrown: unknown) => thrown,
  );
  expect((again as FaultPlanFailedError).plan).toEqual(plan);
});

test("accepts one without it", async () => {
  const options = ordersTest((node) => node.start(supervised([OrdersByEpoch, node])));
  expect(await exploreFaults(options)).toBe(20);
});
