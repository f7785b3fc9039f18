/**
 * Handles of resources: what stands outside of an instance for an object inside of it. Pure: no guest, no process.
 *
 * A handle is plain data, so that it may cross processes and nodes. It says which instance it belongs to; in every other
 * one, also in the next life of the same process, it is refused.
 *
 * Invariants:
 *   H1. An id is never given twice in the life of an instance.
 *   H2. A call that is refused changes nothing: what it would have moved is still live.
 *   H3. In one call a handle is moved at most once, and neither borrowed before nor after.
 *
 * @module
 */
import { expected, ValueFault } from "./value-fault.ts";
import type { WitResource } from "./wit-type.ts";

/** Stands for a resource of a component. Opaque: pass it on, or back to the process it came from. */
export interface ResourceHandle<Resource extends string = string> {
  /** Which resource: `example:shop/carts@1.2.0#cart`. */
  readonly resource: Resource;
  /** The process it belongs to; with its end the handle ends. */
  readonly owner: string;
  readonly id: number;
}

/** The most handles of one instance that may be live at once. */
export const handlesMax = 65_536;

interface Entry {
  readonly resource: WitResource;
  readonly object: unknown;
}

/** The live handles of one instance. */
export class HandleState {
  readonly #owner: string;
  readonly #live = new Map<number, Entry>();
  #last = 0;

  constructor(owner: string) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#live.size;
  }

  /** A handle for an object. @throws {RangeError} if {@link handlesMax} are live. */
  add(resource: WitResource, object: unknown): ResourceHandle {
    if (this.#live.size >= handlesMax)
      throw new RangeError(`more than ${handlesMax} handles are live: drop those not needed`);
    this.#last += 1;
    this.#live.set(this.#last, { resource, object });
    return { resource: resourceName(resource), owner: this.#owner, id: this.#last };
  }

  /** The id of a live handle of that resource. @throws {ValueFault} that says what is wrong with it. */
  idOf(resource: WitResource, value: unknown): number {
    const name = resourceName(resource);
    if (!isHandle(value)) throw expected(`a handle of ${name}`, value);
    if (value.resource !== name)
      throw new ValueFault(`expected a handle of ${name}, got one of ${value.resource}`);
    if (value.owner !== this.#owner)
      throw new ValueFault(
        `the handle belongs to ${value.owner}, not to this process (${this.#owner}): handles end with their process`,
      );
    if (!this.#live.has(value.id)) throw new ValueFault("the handle was dropped or moved before");
    return value.id;
  }

  objectOf(id: number): unknown {
    return this.#live.get(id)?.object;
  }

  remove(id: number): void {
    this.#live.delete(id);
  }
}

/** The handles one call takes: nothing moves before {@link CallHandles.commit}. */
export class CallHandles {
  readonly #state: HandleState;
  readonly #moved = new Set<number>();
  readonly #borrowed = new Set<number>();

  constructor(state: HandleState) {
    this.#state = state;
  }

  /** The object of a handle that is moved (`own`) or lent (`borrow`). @throws {ValueFault} */
  take(kind: "own" | "borrow", resource: WitResource, value: unknown): unknown {
    const id = this.#state.idOf(resource, value);
    const clash =
      kind === "own" ? this.#moved.has(id) || this.#borrowed.has(id) : this.#moved.has(id);
    if (clash) throw new ValueFault("the handle is used twice in this call, and once moved");
    (kind === "own" ? this.#moved : this.#borrowed).add(id);
    return this.#state.objectOf(id);
  }

  /** What was moved is gone. */
  commit(): void {
    for (const id of this.#moved) this.#state.remove(id);
  }
}

/** `example:shop/carts@1.2.0#cart` */
export function resourceName({ interface: owner, name }: WitResource): string {
  return owner === undefined ? name : `${owner}#${name}`;
}

function isHandle(value: unknown): value is ResourceHandle {
  if (typeof value !== "object" || value === null) return false;
  const { resource, owner, id } = value as Partial<ResourceHandle>;
  return typeof resource === "string" && typeof owner === "string" && Number.isSafeInteger(id);
}
