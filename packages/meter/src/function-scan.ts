/**
 * Where one function is charged for what it does, and how much. Decides; `fuel.ts` writes.
 *
 * Invariants:
 *   S1. Every loop has a point at its head: whoever goes round, pays.
 *   S2. Every function that calls, or is not small, has a point that each of its calls comes after: recursion pays. It
 *       stands at the entry, or of a small function in the innermost block around all calls: ways without calls are free.
 *   S3. Every instruction whose work depends on a length has a point before it: that length pays.
 *
 * @module
 */
import type { ByteReader } from "./byte-reader.ts";
import { cutOff } from "./errors.ts";
import { opcode, skipImmediates, skipPrefixed } from "./instructions.ts";

/** What stands at a point. */
export const pointKind = { entry: 0, loop: 1, length: 2 } as const;

/** A body's instructions count one by one up to here, and one for every 64 beyond: of a big body, little runs at a time. */
const costWhole = 20;
const costShift = 6;
/** What a call counts beyond one instruction. */
const callCost = 3;
/** A function with neither calls nor loops is free up to so many instructions: its caller pays for the call. */
const smallMax = 64;
/** Up to so many instructions, the ways through a function that calls nothing are free. */
const freeWayMax = 200;

/** The points of the function scanned last; one object serves a whole module. */
export class FunctionScan {
  /** How many of the entries below are in use. */
  count = 0;
  loops = 0;
  readonly kinds: number[] = [];
  readonly positions: number[] = [];
  readonly costs: number[] = [];
  /** Of each open block: the point that pays outside of it, and where its instructions (or those of its `else`) begin. */
  readonly #enclosing: number[] = [];
  readonly #begins: number[] = [];
  readonly #calls = new CommonBlock();

  /** Scans the instructions from the reader's position to its end. @throws {MalformedModuleError} if they do not end there. */
  scan(reader: ByteReader, end: number): void {
    this.count = 0;
    this.loops = 0;
    this.#calls.clear();
    this.#add(pointKind.entry, reader.position);
    let depth = 0;
    let current = 0; // The point that pays for the instruction at hand.
    while (reader.position < end) {
      const at = reader.position;
      const op = reader.byte();
      this.costs[current]! += 1;
      if (op === opcode.end || op === opcode.delegate) {
        if (op === opcode.delegate) reader.skipInteger();
        depth -= 1;
        if (depth >= 0) current = this.#enclosing[depth]!;
      } else if (op >= opcode.gc) {
        const second = reader.u32();
        if (takesLength(op, second)) this.#add(pointKind.length, at);
        skipPrefixed(reader, op, second);
      } else {
        if (op === opcode.memoryGrow) this.#add(pointKind.length, at);
        skipImmediates(reader, op);
        if (op >= opcode.callFirst && op <= opcode.callLast) {
          this.costs[current]! += callCost;
          this.#calls.add(this.#begins, depth);
        } else if (op === opcode.else) {
          this.#begins[depth - 1] = reader.position;
        } else if (opensBlock(op)) {
          this.#enclosing[depth] = current;
          this.#begins[depth] = reader.position;
          depth += 1;
          if (op === opcode.loop) {
            current = this.count;
            this.loops += 1;
            this.#add(pointKind.loop, reader.position);
          }
        }
      }
    }
    if (reader.position !== end || depth !== -1) throw cutOff();
    this.#settle();
  }

  #add(kind: number, position: number): void {
    this.kinds[this.count] = kind;
    this.positions[this.count] = position;
    this.costs[this.count] = 0;
    this.count += 1;
  }

  /** Turns counts of instructions into costs, and moves or drops the entry's point. */
  #settle(): void {
    const instructions = this.costs[0]!;
    for (let index = 0; index < this.count; index += 1) {
      const counted = this.costs[index]!;
      this.costs[index] = Math.min(counted, costWhole) + (counted >> costShift);
    }
    if (this.count > 1) return; // Loops and lengths: the points are in order, and the loops' counter begins at the entry.
    if (this.#calls.none) {
      if (instructions <= smallMax) this.costs[0] = 0;
    } else if (instructions <= freeWayMax && this.#calls.begin !== undefined) {
      this.positions[0] = this.#calls.begin;
    }
  }
}

/** The innermost block around some instructions. */
class CommonBlock {
  readonly #begins: number[] = [];
  #depth = -1;

  get none(): boolean {
    return this.#depth < 0;
  }

  /** Where it begins; undefined for the function itself. */
  get begin(): number | undefined {
    return this.#begins[this.#depth - 1];
  }

  clear(): void {
    this.#depth = -1;
  }

  /** One more of them, inside of `depth` blocks that begin there. */
  add(begins: readonly number[], depth: number): void {
    if (this.none) {
      for (let index = 0; index < depth; index += 1) this.#begins[index] = begins[index]!;
      this.#depth = depth;
      return;
    }
    let common = 0;
    const most = Math.min(depth, this.#depth);
    while (common < most && this.#begins[common] === begins[common]) common += 1;
    this.#depth = common;
  }
}

function opensBlock(op: number): boolean {
  return (
    (op >= opcode.block && op <= opcode.if) || op === opcode.legacyTry || op === opcode.tryTable
  );
}

/** Whether the top of the stack says how much this instruction does. */
function takesLength(prefix: number, op: number): boolean {
  if (prefix === opcode.bulk)
    return op === 8 || (op >= 10 && op <= 12) || op === 14 || op === 15 || op === 17;
  if (prefix === opcode.gc)
    return op === 6 || op === 7 || op === 9 || op === 10 || (op >= 16 && op <= 19);
  return false;
}
