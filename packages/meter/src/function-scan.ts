/**
 * Where one function is charged for what it does, and how much. Decides; `fuel.ts` writes.
 *
 * Invariants:
 *   S1. Every loop has a point at its head: whoever goes round, pays. A tight loop has more points, so that none of them
 *       calls inside of it.
 *   S2. Every function that calls, or is not small, has a point that each of its calls comes after: recursion pays. It
 *       stands at the entry, or of a small function in the innermost block around all calls: ways without calls are free.
 *   S3. Every instruction whose work depends on a length has a point before it: that length pays.
 *
 * @module
 */
import type { ByteReader } from "./byte-reader.ts";
import { cutOff } from "./errors.ts";
import { opcode, skipImmediates, skipPrefixed } from "./instructions.ts";
import { TightLoops, tightMax } from "./tight-loops.ts";

/** What stands at a point. */
export const pointKind = {
  entry: 0,
  /** The head of a loop. */
  loop: 1,
  /** Before an instruction that takes a length. */
  length: 2,
  /** Before a tight loop, at its head, and after it. */
  tightBefore: 3,
  tightHead: 4,
  tightAfter: 5,
  /** A label that leaves a tight loop. */
  label: 6,
  nothing: 7,
} as const;

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
  /** Of a label: its value. Before a tight loop: its block type. */
  readonly values: number[] = [];
  /** Where what stands at a point ends: a label is replaced, everything else inserted. */
  readonly ends: number[] = [];
  readonly #tight = new TightLoops();
  #depth = 0;
  /** The point that pays for the instruction at hand. */
  #current = 0;
  /** Of each open block: the point that pays outside of it, and where its instructions (or those of its `else`) begin. */
  readonly #enclosing: number[] = [];
  readonly #begins: number[] = [];
  readonly #calls = new CommonBlock();

  /** Scans the instructions from the reader's position to its end. @throws {MalformedModuleError} if they do not end there. */
  scan(reader: ByteReader, end: number): void {
    this.count = 0;
    this.loops = 0;
    this.#depth = 0;
    this.#current = 0;
    this.#calls.clear();
    this.#tight.clear();
    this.#add(pointKind.entry, reader.position);
    let counted = 0; // Since the last control instruction: written down there, not for each.
    while (reader.position < end) {
      const at = reader.position;
      const op = reader.byte();
      counted += 1;
      if (op >= opcode.callFirst && op <= opcode.callLast) {
        skipImmediates(reader, op);
        counted += callCost;
        this.#calls.add(this.#begins, this.#depth);
      } else if (op <= opcode.tryTable) {
        this.costs[this.#current]! += counted;
        counted = 0;
        this.#control(reader, op, at);
      } else if (op >= opcode.gc) {
        const second = reader.u32();
        if (takesLength(op, second)) this.#add(pointKind.length, at);
        if (isCastBranch(op, second)) this.#tight.awkward();
        skipPrefixed(reader, op, second);
      } else {
        if (op === opcode.memoryGrow) this.#add(pointKind.length, at);
        if (op >= opcode.branchOnNull) this.#tight.awkward();
        skipImmediates(reader, op);
      }
    }
    if (reader.position !== end || this.#depth !== -1) throw cutOff();
    this.#settle();
  }

  #control(reader: ByteReader, op: number, at: number): void {
    if (op === opcode.branch || op === opcode.branchIf) {
      const from = reader.position;
      const label = reader.u32();
      if (!this.#tight.isLeft(label, this.#depth)) return;
      this.#add(pointKind.label, from);
      this.values[this.count - 1] = label;
      this.ends[this.count - 1] = reader.position;
      return;
    }
    const from = reader.position;
    skipImmediates(reader, op);
    if (op === opcode.end || op === opcode.delegate) {
      this.#blockEnds(reader.position);
    } else if (op === opcode.else) {
      this.#begins[this.#depth - 1] = reader.position;
    } else if (opensBlock(op)) {
      this.#enclosing[this.#depth] = this.#current;
      this.#begins[this.#depth] = reader.position;
      this.#depth += 1;
      if (op === opcode.loop) this.#loopOpens(at, reader.bytes[from]!, reader.position - from);
    }
    if (isAwkward(op)) this.#tight.awkward();
  }

  #loopOpens(at: number, first: number, bytes: number): void {
    this.#add(pointKind.nothing, at);
    this.values[this.count - 1] = first;
    this.#current = this.count;
    this.#add(pointKind.loop, at + 1 + bytes);
    this.loops += 1;
    this.#tight.opens(this.#current, this.#depth, { first, bytes });
  }

  #blockEnds(position: number): void {
    this.#depth -= 1;
    if (this.#depth < 0) return;
    this.#current = this.#enclosing[this.#depth]!;
    const ended = this.#tight.ends(this.#depth);
    if (ended === undefined) return;
    const { point } = ended;
    if (ended.tight && this.costs[point]! <= tightMax) {
      this.kinds[point - 1] = pointKind.tightBefore;
      this.kinds[point] = pointKind.tightHead;
      this.#add(pointKind.tightAfter, position);
      return;
    }
    // Its labels stay. Those of loops inside of it are theirs, and they are after the point of such a loop.
    for (let index = point + 1; index < this.count; index += 1) {
      if (this.kinds[index] === pointKind.nothing || this.kinds[index] === pointKind.tightBefore)
        return;
      if (this.kinds[index] === pointKind.label) {
        this.kinds[index] = pointKind.nothing;
        this.ends[index] = this.positions[index]!;
      }
    }
  }

  #add(kind: number, position: number): void {
    this.kinds[this.count] = kind;
    this.positions[this.count] = position;
    this.costs[this.count] = 0;
    this.ends[this.count] = position;
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
      this.ends[0] = this.#calls.begin;
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

/** Whether a control instruction names labels in a way that is not adjusted. */
function isAwkward(op: number): boolean {
  return (
    op === opcode.legacyTry ||
    op === opcode.rethrow ||
    op === opcode.branchTable ||
    op === opcode.delegate ||
    op === opcode.tryTable
  );
}

function isCastBranch(prefix: number, op: number): boolean {
  return prefix === opcode.gc && (op === 24 || op === 25);
}

/** Whether the top of the stack says how much this instruction does. */
function takesLength(prefix: number, op: number): boolean {
  if (prefix === opcode.bulk)
    return op === 8 || (op >= 10 && op <= 12) || op === 14 || op === 15 || op === 17;
  if (prefix === opcode.gc)
    return op === 6 || op === 7 || op === 9 || op === 10 || (op >= 16 && op <= 19);
  return false;
}
