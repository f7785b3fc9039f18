/**
 * The children of a supervisor in start order, found by their ids and by their processes, however many there are.
 *
 * @module
 */
import type { Pid } from "@coppice/kernel";
import type { Child } from "./child.ts";
import type { ChildSpec } from "./child-spec.ts";

export class Children implements Iterable<Child> {
  /** In the order they were added. */
  readonly #byId = new Map<string, Child>();
  /** Those that run, by printed pid. */
  readonly #byPid = new Map<string, Child>();

  constructor(specs: readonly ChildSpec[]) {
    for (const spec of specs) this.add(spec);
  }

  add(spec: ChildSpec): Child {
    const child: Child = { spec, state: "stopped", restarts: 0 };
    this.#byId.set(spec.id, child);
    return child;
  }

  /** Forgets a child that does not run. */
  drop(child: Child): void {
    this.#byId.delete(child.spec.id);
  }

  withId(id: unknown): Child | undefined {
    return this.#byId.get(id as string);
  }

  /** The child that runs as this process. */
  runningAs(pid: Pid): Child | undefined {
    return this.#byPid.get(pid.toString());
  }

  /** From now on the child is found as `pid`. */
  started(child: Child, pid: Pid): void {
    this.#byPid.set(pid.toString(), child);
  }

  /** The child does not run any more. */
  ended(child: Child): void {
    if (child.pid !== undefined) this.#byPid.delete(child.pid.toString());
    child.pid = undefined;
  }

  [Symbol.iterator](): IterableIterator<Child> {
    return this.#byId.values();
  }
}
