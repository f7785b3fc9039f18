/**
 * Fuel: every function pays at its points, and when the fuel is used up the module asks the gate what to do.
 *
 * Fuel is a global. A function with loops counts in a local of its own, and charges the global when that runs out: at
 * most {@link localFuel} units are not counted for each call of such a function.
 *
 * Everything is appended to its index space, so no index of the module moves. The gate is reached through two globals
 * that hold its functions, because an import would move the index of every function.
 *
 * @module
 */
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { cutOff } from "./errors.ts";
import { FunctionScan, pointKind } from "./function-scan.ts";
import type { IndexSpaces } from "./index-spaces.ts";
import { BranchHints } from "./branch-hints.ts";
import { sectionId, type Sections } from "./sections.ts";
import { tightBlocks } from "./tight-loops.ts";
import { i32, skipValueType } from "./value-types.ts";

/** How much a function with loops may do between two charges. */
export const localFuel = 1_000;
/** How many units of a length (bytes, elements, pages) one unit of fuel pays for, as a power of two. */
const lengthShift = 4;

/** What the gate answers instead of new fuel. */
export const gateAnswer = { suspend: -1, kill: -2 } as const;

/** The globals of a metered module, by index. */
export interface FuelGlobals {
  readonly fuel: number;
  readonly owner: number;
  readonly check: number;
  readonly suspend: number;
}

/** Indexes of what is appended. */
interface Appended extends FuelGlobals {
  readonly gateType: number;
  readonly voidType: number;
  readonly slow: number;
  readonly charge: number;
  readonly length: number;
}

/** Makes every function of the module pay. */
export function addFuel(sections: Sections, spaces: IndexSpaces): FuelGlobals {
  const first = spaces.globals;
  const added: Appended = {
    gateType: spaces.types.count,
    voidType: spaces.types.count + 1,
    fuel: first,
    owner: first + 1,
    check: first + 2,
    suspend: first + 3,
    slow: spaces.functions,
    charge: spaces.functions + 1,
    length: spaces.functions + 2,
  };
  const code = chargedCode(sections, spaces, added);
  sections.append(sectionId.type, 2, Uint8Array.of(0x60, 1, i32, 1, i32, 0x60, 0, 0));
  const declared = new ByteWriter().u32(added.voidType).u32(added.gateType).u32(added.gateType);
  sections.append(sectionId.function, 3, declared.written());
  const globals = new ByteWriter();
  for (let numbers = 2; numbers > 0; numbers -= 1) globals.raw([i32, 1, ...op.const(0), op.end]);
  for (let functions = 2; functions > 0; functions -= 1)
    globals.raw([0x63]).s32(added.gateType).raw([1, 0xd0]).s32(added.gateType).byte(op.end);
  sections.append(sectionId.global, 4, globals.written());
  sections.replace(sectionId.code, code);
  return added;
}

/** The instructions that are inserted. */
const op = {
  end: 0x0b,
  const: (value: number) => [0x41, ...new ByteWriter().s32(value).written()],
  localGet: (index: number) => [0x20, ...new ByteWriter().u32(index).written()],
  localSet: (index: number) => [0x21, ...new ByteWriter().u32(index).written()],
  localTee: (index: number) => [0x22, ...new ByteWriter().u32(index).written()],
  globalGet: (index: number) => [0x23, ...new ByteWriter().u32(index).written()],
  globalSet: (index: number) => [0x24, ...new ByteWriter().u32(index).written()],
  call: (index: number) => [0x10, ...new ByteWriter().u32(index).written()],
  callRef: (type: number) => [0x14, ...new ByteWriter().u32(type).written()],
  if: [0x04, 0x40],
  unreachable: 0x00,
  return: 0x0f,
  sub: 0x6b,
  equal: 0x46,
  atLeast: 0x4e,
  less: 0x48,
  shiftRight: 0x76,
} as const;

function chargedCode(sections: Sections, spaces: IndexSpaces, added: Appended): Uint8Array {
  const code = sections.body(sectionId.code) ?? Uint8Array.of(0);
  const reader = new ByteReader(code);
  const types = new ByteReader(sections.body(sectionId.function) ?? Uint8Array.of(0));
  const count = reader.count();
  if (types.u32() !== count) throw cutOff();
  const out = new ByteWriter(code.length + (code.length >> 3) + 1_024);
  out.u32(count + 3);
  const scan = new FunctionScan();
  const emitter = new BodyEmitter(code, scan, added);
  for (let left = count; left > 0; left -= 1) {
    const parameters = spaces.types.parameters[types.u32()];
    if (parameters === undefined || parameters < 0) throw cutOff();
    const end = reader.count() + reader.position;
    const start = reader.position;
    const groups = reader.count();
    const groupsAt = reader.position;
    let locals = parameters;
    for (let group = groups; group > 0; group -= 1) {
      locals += reader.u32();
      skipValueType(reader);
    }
    const instructionsAt = reader.position;
    scan.scan(reader, end);
    const index = spaces.importedFunctions + count - left;
    emitter.emit(out, { index, start, groups, groupsAt, instructionsAt, end, local: locals });
  }
  reader.checked();
  for (const helper of helpers(added)) out.u32(helper.length).raw(helper);
  emitter.hints.write(sections);
  return out.written();
}

/** Where the parts of one function body are. */
interface Body {
  /** The function's index. */
  readonly index: number;
  readonly start: number;
  readonly groups: number;
  readonly groupsAt: number;
  readonly instructionsAt: number;
  readonly end: number;
  /** The index of the local that can be added. */
  readonly local: number;
}

class BodyEmitter {
  readonly hints = new BranchHints();
  readonly #code: Uint8Array;
  readonly #scan: FunctionScan;
  readonly #added: Appended;
  /** Reused: a module has tens of thousands of functions. */
  readonly #body = new ByteWriter(65_536);

  constructor(code: Uint8Array, scan: FunctionScan, added: Appended) {
    this.#code = code;
    this.#scan = scan;
    this.#added = added;
  }

  emit(out: ByteWriter, body: Body): void {
    const scan = this.#scan;
    if (scan.count === 1 && scan.costs[0] === 0) {
      out.u32(body.end - body.start).copy(this.#code, body.start, body.end);
      return;
    }
    const written = this.#body;
    written.clear();
    if (scan.loops > 0)
      written
        .u32(body.groups + 1)
        .copy(this.#code, body.groupsAt, body.instructionsAt)
        .raw([1, i32]);
    else written.copy(this.#code, body.start, body.instructionsAt);
    let at = body.instructionsAt;
    for (let index = 0; index < scan.count; index += 1) {
      const position = scan.positions[index]!;
      written.copy(this.#code, at, position);
      at = scan.ends[index]!;
      this.#point(written, index, body.local);
    }
    written.copy(this.#code, at, body.end);
    this.hints.functionEnds(body.index);
    out.u32(written.length).raw(written.written());
  }

  #point(written: ByteWriter, index: number, local: number): void {
    const { fuel, slow, length } = this.#added;
    const cost = this.#scan.costs[index]!;
    const value = this.#scan.values[index]!;
    switch (this.#scan.kinds[index]) {
      case pointKind.entry:
        if (cost > 0) {
          written.byte(0x23).u32(fuel).byte(0x41).s32(cost).byte(op.sub).byte(0x24).u32(fuel);
          written.byte(0x23).u32(fuel).raw(isNegative);
          this.#unlikely(written, op.if);
          written.byte(0x10).u32(slow).byte(op.end);
        }
        if (this.#scan.loops > 0) written.raw(startLocal).u32(local);
        return;
      case pointKind.loop:
        this.#payLocal(written, cost, local);
        this.#unlikely(written, op.if);
        this.#charge(written, local);
        written.byte(op.end);
        return;
      case pointKind.length:
        written.byte(0x10).u32(length);
        return;
      case pointKind.tightBefore:
        // The loop is left with its values, or, out of fuel, by the innermost block; then it is entered again.
        written.raw([0x02, value, 0x03, value, 0x02, 0x40]);
        return;
      case pointKind.tightHead:
        this.#payLocal(written, cost, local);
        this.#unlikely(written, [0x0d, 1]);
        return;
      case pointKind.tightAfter:
        written.raw([0x0c, 2, op.end]);
        this.#charge(written, local);
        written.raw([0x0c, 0, op.end, op.end]);
        return;
      case pointKind.label:
        written.u32(value + tightBlocks);
    }
  }

  /** Takes the cost from the function's own counter and leaves whether that is used up. */
  #payLocal(written: ByteWriter, cost: number, local: number): void {
    written.byte(0x20).u32(local).byte(0x41).s32(cost).byte(op.sub).byte(0x22).u32(local);
    written.raw(isNegative);
  }

  #charge(written: ByteWriter, local: number): void {
    written.byte(0x20).u32(local).byte(0x10).u32(this.#added.charge).byte(0x21).u32(local);
  }

  #unlikely(written: ByteWriter, branch: readonly number[]): void {
    this.hints.unlikely(written.length);
    written.raw(branch);
  }
}

const isNegative = [...op.const(0), op.less];
const startLocal = [...op.const(localFuel), 0x21];

/** The bodies of the functions that are appended: slow, charge, length. */
function helpers(added: Appended): Uint8Array[] {
  const { fuel, owner, check, suspend, gateType, slow } = added;
  const ask = (which: number): number[] => [
    ...op.globalGet(owner),
    ...op.globalGet(which),
    ...op.callRef(gateType),
    ...op.localTee(0),
    ...op.const(0),
    op.atLeast,
    ...op.if,
    ...op.localGet(0),
    ...op.globalSet(fuel),
    op.return,
    op.end,
  ];
  const pay = [
    op.sub,
    ...op.globalSet(fuel),
    ...op.globalGet(fuel),
    ...isNegative,
    ...op.if,
    ...op.call(slow),
    op.end,
  ];
  const wantsSuspend = [
    ...op.localGet(0),
    ...op.const(gateAnswer.suspend),
    op.equal,
    ...op.if,
    ...ask(suspend),
    op.end,
  ];
  // Trapping cannot be caught by the guest, as an exception thrown by the host could.
  const slowBody = [1, 1, i32, ...ask(check), ...wantsSuspend, op.unreachable, op.end];
  const spent = [...op.const(localFuel), ...op.localGet(0), op.sub];
  const chargeBody = [0, ...op.globalGet(fuel), ...spent, ...pay, ...op.const(localFuel), op.end];
  const size = [...op.localGet(0), ...op.const(lengthShift), op.shiftRight];
  const lengthBody = [0, ...op.globalGet(fuel), ...size, ...pay, ...op.localGet(0), op.end];
  return [slowBody, chargeBody, lengthBody].map((bytes) => Uint8Array.from(bytes));
}
