/**
 * A stack that crashes when it is empty: there to be crashed, and restarted, from the command line.
 *
 * @module
 */
import { GenServer } from "coppice";

export class Stack extends GenServer {
  readonly #items: unknown[] = [];

  push(item: unknown): number {
    return this.#items.push(item);
  }

  pop(): unknown {
    if (this.#items.length === 0) throw new Error("the stack is empty"); // Let it crash.
    return this.#items.pop();
  }
}
