/**
 * What the nodes of a group of servers run: counters of which one is available, and one process without a name.
 *
 * @module
 */
import { type Application, available, GenServer } from "coppice";

class Counter extends GenServer {
  #count = 0;
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
}

const application: Application = () => ({
  strategy: "one_for_one",
  children: [
    ...["one", "two", "three", "four"].map((name) => ({
      id: name,
      name,
      start: [Counter] as const,
    })),
    available({ id: "always", name: "always", start: [Counter] }),
  ],
});
export default application;
