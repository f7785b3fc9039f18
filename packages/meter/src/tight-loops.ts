/**
 * Which loops are tight: innermost, small, and left by plain branches only. Decides; `function-scan.ts` asks.
 *
 * A tight loop is charged without a call inside of it, as compilers unroll only such loops and keep their values in
 * registers: three blocks are put around it, what calls stands between them, and branches that leave the loop pass three
 * more labels.
 *
 * @module
 */

/** How many blocks are put around a tight loop. */
export const tightBlocks = 3;
/** Larger loops gain little. Counted in instructions. */
export const tightMax = 128;
/** The block type of no value. Below it, and above the value types, are indexes of function types. */
const blockTypeFirst = 0x40;
const blockTypeLast = 0x7f;

/** The open loops of a function, innermost last. */
export class TightLoops {
  #open = 0;
  /** Of each: the index of its point, how many blocks are open in it, and whether it can still be tight. */
  readonly #points: number[] = [];
  readonly #depths: number[] = [];
  readonly #tight: boolean[] = [];

  clear(): void {
    this.#open = 0;
  }

  /** A loop opened, as the block number `depth` from outside; its type begins and ends with these bytes. */
  opens(
    point: number,
    depth: number,
    type: { readonly first: number; readonly bytes: number },
  ): void {
    if (this.#open > 0) this.#tight[this.#open - 1] = false;
    this.#points[this.#open] = point;
    this.#depths[this.#open] = depth;
    this.#tight[this.#open] =
      type.bytes === 1 && type.first >= blockTypeFirst && type.first <= blockTypeLast;
    this.#open += 1;
  }

  /** Whether a branch over `label` labels, from inside of `depth` blocks, leaves a loop that can be tight. */
  isLeft(label: number, depth: number): boolean {
    const last = this.#open - 1;
    return last >= 0 && this.#tight[last]! && depth - label < this.#depths[last]!;
  }

  /** Something other than a plain branch names a label. */
  awkward(): void {
    if (this.#open > 0) this.#tight[this.#open - 1] = false;
  }

  /** A block ended, `depth` are still open. The point of the loop that ended, if it was one. */
  ends(depth: number): { readonly point: number; readonly tight: boolean } | undefined {
    const last = this.#open - 1;
    if (last < 0 || depth !== this.#depths[last]! - 1) return undefined;
    this.#open = last;
    return { point: this.#points[last]!, tight: this.#tight[last]! };
  }
}
