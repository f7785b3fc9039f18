/**
 * Whether concurrent operations on one object could have happened one after the other, each between its begin and its end.
 *
 * The algorithm of Wing and Gong with Lowe's memory of what was tried (as in Porcupine). It is exponential at worst, so
 * it has limits: {@link operationsMax}, {@link unknownMax} and a budget of time.
 *
 * @module
 */
import { type Clock, systemClock } from "@coppice/kernel";

/** One operation as its client saw it. */
export interface Operation<Input, Output> {
  readonly client: string;
  readonly beganMs: number;
  /** Nothing: it is not known whether it happened, or when. */
  readonly endedMs?: number;
  readonly input: Input;
  /** Nothing: not known. */
  readonly output?: Output;
}

/** What the object does when nothing happens at the same time. */
export interface SequentialModel<State, Input, Output> {
  readonly initial: State;
  /** The state after the operation; nothing if it cannot have given this output in this state. */
  readonly step: (
    state: State,
    input: Input,
    output: Output | undefined,
  ) => { readonly state: State } | undefined;
  /** Equal for equal states. */
  readonly key: (state: State) => string;
}

/** The most operations of one history: split what concerns different objects. */
export const operationsMax = 500;
/** The most operations of unknown outcome. */
export const unknownMax = 10;
/** How long may be tried, in milliseconds. */
export const budgetMsDefault = 60_000;

/** `unknown`: it took too long. A test has to count that as a failure. */
export type Verdict =
  | { readonly verdict: "linearizable" }
  | { readonly verdict: "unknown"; readonly steps: number }
  /** No order explains it: the one that could not be placed when most had been. */
  | { readonly verdict: "not linearizable"; readonly stuckAt: Operation<unknown, unknown> };

/**
 * Checks one object's history.
 *
 * @throws {RangeError} if it has more than {@link operationsMax} operations, or {@link unknownMax} of unknown outcome.
 */
export function checkLinearizability<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  options: { readonly clock?: Clock; readonly budgetMs?: number } = {},
): Verdict {
  const { clock = systemClock, budgetMs = budgetMsDefault } = options;
  const unknown = operations.filter(({ endedMs }) => endedMs === undefined).length;
  if (operations.length > operationsMax || unknown > unknownMax)
    throw new RangeError(
      `${operations.length} operations, ${unknown} of unknown outcome: at most ${operationsMax} and ${unknownMax} can be checked; split them by object`,
    );
  const deadlineMs = clock.now() + budgetMs;
  return new Search(model, operations, () => clock.now() > deadlineMs).run();
}

/** The begin or the end of an operation that has no place yet, in the order of time. */
interface Mark {
  readonly index: number;
  readonly isBegin: boolean;
  readonly atMs: number;
}

/** The clock is read once in so many steps. */
const stepsPerLook = 1_024;

class Search<State, Input, Output> {
  readonly #model: SequentialModel<State, Input, Output>;
  readonly #operations: readonly Operation<Input, Output>[];
  readonly #isOver: () => boolean;
  readonly #marks: readonly Mark[];
  /** The operations in their order so far, with the state before each. */
  readonly #placed: { readonly index: number; readonly before: State }[] = [];
  readonly #isPlaced: Uint8Array;
  /** What was tried: the set of placed operations, and the state after them. */
  readonly #tried = new Set<string>();
  #steps = 0;
  #most = -1;
  #stuckAt = 0;

  constructor(
    model: SequentialModel<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
    isOver: () => boolean,
  ) {
    this.#model = model;
    this.#operations = operations;
    this.#isOver = isOver;
    this.#isPlaced = new Uint8Array(operations.length);
    this.#marks = operations
      .flatMap(({ beganMs, endedMs = Infinity }, index) => [
        { index, isBegin: true, atMs: beganMs },
        { index, isBegin: false, atMs: endedMs },
      ])
      // Of one time the begins come first: operations that only touch may be in any order.
      .sort((a, b) =>
        a.atMs === b.atMs ? Number(b.isBegin) - Number(a.isBegin) : a.atMs - b.atMs,
      );
  }

  run(): Verdict {
    let state = this.#model.initial;
    let from = 0;
    while (true) {
      const found = this.#next(state, from);
      if (found === "done") return { verdict: "linearizable" };
      if (found === "over") return { verdict: "unknown", steps: this.#steps };
      if (found !== "stuck") {
        this.#placed.push({ index: found.index, before: state });
        state = found.state;
        from = 0;
        continue;
      }
      const last = this.#placed.pop();
      if (last === undefined)
        return { verdict: "not linearizable", stuckAt: this.#operations[this.#stuckAt]! };
      this.#isPlaced[last.index] = 0;
      state = last.before;
      from = this.#marks.findIndex(({ index, isBegin }) => isBegin && index === last.index) + 1;
    }
  }

  /** The next operation that can come now, of those whose begins are at `from` or later. */
  #next(
    state: State,
    from: number,
  ): { readonly index: number; readonly state: State } | "done" | "stuck" | "over" {
    for (let position = from; position < this.#marks.length; position += 1) {
      this.#steps += 1;
      if (this.#steps % stepsPerLook === 0 && this.#isOver()) return "over";
      const { index, isBegin, atMs } = this.#marks[position]!;
      if (this.#isPlaced[index] === 1) continue;
      if (!isBegin) {
        // All that is left is unknown, and need not have happened.
        if (atMs === Infinity) return "done";
        this.#noteStuck(index);
        return "stuck";
      }
      const after = this.#tryOne(state, index);
      if (after !== undefined) return { index, state: after.state };
    }
    return "done";
  }

  #tryOne(state: State, index: number): { readonly state: State } | undefined {
    const { input, output } = this.#operations[index]!;
    const after = this.#model.step(state, input, output);
    if (after === undefined) return undefined;
    this.#isPlaced[index] = 1;
    const key = `${Buffer.from(this.#isPlaced).toString("latin1")} ${this.#model.key(after.state)}`;
    if (!this.#tried.has(key)) {
      this.#tried.add(key);
      return after;
    }
    this.#isPlaced[index] = 0;
    return undefined;
  }

  #noteStuck(index: number): void {
    if (this.#placed.length <= this.#most) return;
    this.#most = this.#placed.length;
    this.#stuckAt = index;
  }
}
