/**
 * Calls and casts to every name, numbered for each caller and name, each with its one outcome.
 *
 * @module
 */
import { CallError } from "@coppice/kernel";
import type { Answer } from "./counter.ts";
import { counters } from "./names.ts";
import { pace, type Workload, type WorkloadContext } from "./workload.ts";

/** How many calls of one caller to one name may be under way: more would only wait. */
const inFlightMax = 8;
/** One in so many is a cast. */
const castEvery = 10;
const callTimeoutMs = 5_000;

export function callsWorkload(context: WorkloadContext, perSecond: number): Workload {
  const callers = counters.map((name) => new Caller(context, name));
  let turn = 0;
  let stopPacing: (() => void) | undefined;
  return {
    start: () => {
      stopPacing = pace(perSecond, () => {
        const caller = callers[turn % callers.length]!;
        turn += 1;
        if (Math.floor(turn / callers.length) % castEvery === 0) caller.cast();
        else caller.call();
      });
    },
    stop: async () => {
      stopPacing?.();
      await Promise.all(callers.map((caller) => caller.idle()));
    },
    counts: () => ({ callsHeldBack: callers.reduce((sum, { heldBack }) => sum + heldBack, 0) }),
  };
}

class Caller {
  readonly #context: WorkloadContext;
  readonly #name: string;
  readonly #caller: string;
  #calls = 0;
  #casts = 0;
  readonly #inFlight = new Set<Promise<void>>();
  /** Calls that were due while too many were under way. */
  heldBack = 0;

  constructor(context: WorkloadContext, name: string) {
    this.#context = context;
    this.#name = name;
    this.#caller = `${context.life}/calls`;
  }

  call(): void {
    if (this.#inFlight.size >= inFlightMax) {
      this.heldBack += 1;
      return;
    }
    const call = this.#call();
    this.#inFlight.add(call);
    void call.finally(() => this.#inFlight.delete(call));
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  async #call(): Promise<void> {
    const { node, log } = this.#context;
    this.#calls += 1;
    const id = this.#begin(this.#caller, this.#calls);
    try {
      const options = { timeoutMs: callTimeoutMs };
      const { epoch } = (await node.call(this.#name, "act", [id], options)) as Answer;
      log.record({ type: "outcome", id, outcome: "answer", epoch });
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
      log.record({ type: "outcome", id, outcome: thrown.executed, code: thrown.code });
    }
  }

  /** Nobody is told what became of a cast: it may have run. */
  cast(): void {
    const { node, log } = this.#context;
    this.#casts += 1;
    const id = this.#begin(`${this.#context.life}/casts`, this.#casts);
    node.cast(this.#name, "act", [id]);
    log.record({ type: "outcome", id, outcome: "maybe", code: "cast" });
  }

  #begin(caller: string, number: number): string {
    const id = `${caller}/${this.#name}/${number}`;
    this.#context.log.record({ type: "call", id, caller, name: this.#name, number });
    return id;
  }
}
