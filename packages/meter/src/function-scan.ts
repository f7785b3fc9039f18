/**
 * Where one function is charged for what it does, and how much. Decides; `fuel.ts` writes.
 *
 * Invariants:
 *   S1. Every loop has a point at its head: whoever goes round, pays.
 *   S2. Every function that calls, or is not small, has a point at its entry: recursion pays.
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

/** The points of the function scanned last; one object serves a whole module. */
export class FunctionScan {
  /** How many of the entries below are in use. */
  count = 0;
  loops = 0;
  readonly kinds: number[] = [];
  readonly positions: number[] = [];
  readonly costs: number[] = [];
  readonly #enclosing: number[] = [];

  /** Scans the instructions from the reader's position to its end. @throws {MalformedModuleError} if they do not end there. */
  scan(reader: ByteReader, end: number): void {
    this.count = 0;
    this.loops = 0;
    this.#add(pointKind.entry, reader.position);
    let depth = 0;
    let current = 0; // The point that pays for the instruction at hand.
    let calls = 0;
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
          calls += 1;
          this.costs[current]! += callCost;
        } else if (opensBlock(op)) {
          this.#enclosing[depth] = current;
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
    this.#price(calls > 0 || this.loops > 0);
  }

  #add(kind: number, position: number): void {
    this.kinds[this.count] = kind;
    this.positions[this.count] = position;
    this.costs[this.count] = 0;
    this.count += 1;
  }

  /** Turns counts of instructions into costs; the entry of a small leaf costs nothing. */
  #price(always: boolean): void {
    for (let index = 0; index < this.count; index += 1) {
      const counted = this.costs[index]!;
      this.costs[index] = Math.min(counted, costWhole) + (counted >> costShift);
    }
    if (!always && this.costs[0]! <= costWhole + (smallMax >> costShift)) this.costs[0] = 0;
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
