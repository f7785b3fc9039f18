/**
 * What the nodes of the rolling restart run: counters that every node may run, and children of a cluster supervisor.
 *
 * @module
 */
import { type Application, GenServer } from "coppice";

/** Counts, and takes its count along when it moves. */
class Counter extends GenServer {
  #count = 0;
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
  override save(): number {
    return this.#count;
  }
  override load(count: number): void {
    this.#count = count;
  }
}

const application: Application = async ({ node }) => {
  await node.startClusterSupervisor({ name: "workers", kinds: { counter: Counter } });
  const names = ["one", "two", "three", "four"];
  return {
    strategy: "one_for_one",
    children: names.map((name) => ({ id: name, name, start: [Counter] as const })),
  };
};
export default application;
