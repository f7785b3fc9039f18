import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { MeterError, rewrite } from "@coppice/meter";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { call, metered, plain, wat } from "./modules.ts";

const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const described = `seed ${seed} (SEED=${seed} runs it again)`;

/** A statement of a random program over five variables, of which the last counts how much it did. */
const { statement } = fc.letrec<{ statement: string; block: string; value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.integer({ min: -100, max: 100 }).map((n) => `(i32.const ${n})`),
    fc.integer({ min: 0, max: 3 }).map((n) => `(local.get ${n})`),
    fc
      .tuple(
        fc.constantFrom("add", "sub", "mul", "xor", "and", "lt_s", "shl", "rotr"),
        tie("value"),
        tie("value"),
      )
      .map(([op, a, b]) => `(i32.${op} ${a} ${b})`),
    tie("value").map((a) => `(call $leaf ${a})`),
    tie("value").map((a) => `(i32.load8_u (i32.and ${a} (i32.const 255)))`),
    fc
      .tuple(tie("block"), tie("value"), tie("value"))
      .map(([body, a, b]) => `(block (result i32) ${body} (br_if 0 ${a} ${b}) (drop) ${b})`),
  ),
  statement: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.tuple(fc.integer({ min: 0, max: 3 }), tie("value")).map(([n, a]) => `(local.set ${n} ${a})`),
    fc
      .tuple(tie("value"), tie("value"))
      .map(([a, b]) => `(i32.store8 (i32.and ${a} (i32.const 255)) ${b})`),
    fc
      .tuple(tie("value"), tie("block"), tie("block"))
      .map(([a, b, c]) => `(if ${a} (then ${b}) (else ${c}))`),
    // The same, left by branches from different depths; some hold what keeps a loop from being tight.
    fc
      .tuple(
        tie("block"),
        tie("value"),
        tie("value"),
        fc.constantFrom("", "(block (br_table 0 0 (local.get 1)))"),
      )
      .map(
        ([body, a, b, more]) =>
          `(block (block (loop (br_if 1 ${a}) (block (br_if 3 ${b}) ${body}) ${more} (if (i32.eqz ${a}) (then (br_if 2 (i32.lt_s ${b} (i32.const 0))))) (local.set 4 (i32.add (local.get 4) (i32.const 1))) (br_if 0 (i32.lt_u (local.get 4) (i32.const 300))))) (local.set 2 (i32.add (local.get 2) (i32.const 1))))`,
      ),
    fc
      .tuple(tie("value"), tie("value"))
      .map(
        ([a, b]) =>
          `(local.set 3 (loop (result i32) (local.set 4 (i32.add (local.get 4) (i32.const 1))) (br_if 0 (i32.and ${a} (i32.lt_u (local.get 4) (i32.const 300)))) ${b}))`,
      ),
    // Every loop goes round at most until the common counter is used up.
    fc
      .tuple(tie("block"), tie("value"))
      .map(
        ([body, a]) =>
          `(loop ${body} (local.set 4 (i32.add (local.get 4) (i32.const 1))) (br_if 0 (i32.and (i32.lt_u (local.get 4) (i32.const 300)) (i32.ne ${a} (i32.const 0)))))`,
      ),
    fc
      .tuple(tie("block"), tie("value"))
      .map(([body, a]) => `(block (block (br_table 0 1 ${a})) ${body})`),
    fc
      .tuple(tie("value"), tie("value"))
      .map(
        ([a, b]) =>
          `(memory.fill (i32.and ${a} (i32.const 127)) ${b} (i32.and ${b} (i32.const 127)))`,
      ),
    tie("value").map(
      (a) =>
        `(local.set 4 (i32.add (local.get 4) (i32.const 60))) (local.set 0 (call $self ${a} (local.get 4)))`,
    ),
  ),
  block: fc.array(tie("statement"), { maxLength: 4 }).map((all) => all.join(" ")),
}));

describe(`random modules, ${described}`, () => {
  test("a random program validates and computes the same when metered", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(statement, { minLength: 1, maxLength: 6 }),
        fc.integer(),
        async (body, x) => {
          const bytes =
            await wat(`(module (memory 1) (func $leaf (param i32) (result i32) (i32.xor (local.get 0) (i32.const 85)))
          (func $self (param i32) (param i32) (result i32) (local i32 i32 i32) (local.set 4 (local.get 1))
            (if (i32.gt_u (local.get 4) (i32.const 300)) (then (return (local.get 0))))
            ${body.join("\n")} (i32.add (local.get 0) (i32.add (local.get 2) (i32.load (i32.const 16)))))
          (export "run" (func $self)))`);
          expect(call(metered(bytes).exports, "run", x, 0)).toBe(call(plain(bytes), "run", x, 0));
        },
      ),
      { seed, numRuns: 150 },
    );
  });

  test("a changed or cut off module is refused with an error of its class, or rewritten to a valid module", async () => {
    const original =
      await wat(`(module (type $s (struct (field i32))) (memory 1) (table 2 funcref) (global (mut i32) (i32.const 1)) (tag $e)
      (elem (i32.const 0) $f) (data (i32.const 4) "abc") (start $f)
      (func $f (local i64 i32) (loop $l (br_if $l (i32.load (i32.const 3))) (block $b (br_table $b $l $b (i32.const 1)))) (call_indirect (i32.const 0)))
      (func (export "run") (result v128) try throw $e catch_all end (drop (struct.new $s (i32.const 1))) (v128.const i64x2 1 2)))`);
    const edit = fc.record({ at: fc.nat(original.length - 1), byte: fc.nat(255) });
    const property = fc.property(
      fc.array(edit, { maxLength: 3 }),
      fc.nat(original.length),
      (edits, keep) => {
        const bytes = Uint8Array.from(original);
        for (const { at, byte } of edits) bytes[at] = byte;
        const given = edits.length === 0 ? bytes.subarray(0, keep) : bytes;
        let rewritten: Uint8Array;
        try {
          rewritten = rewrite(given, { memoryPagesMax: 100, tableElementsMax: 100 });
        } catch (thrown) {
          if (thrown instanceof MeterError) return;
          throw thrown;
        }
        expect(WebAssembly.validate(rewritten)).toBe(true);
      },
    );
    fc.assert(property, { seed, numRuns: 20_000 });
  });

  test("random bytes behind a module's header are refused with an error of its class", () => {
    const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        try {
          rewrite(Uint8Array.from([...header, ...bytes]));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeterError);
        }
      }),
      { seed, numRuns: 5_000 },
    );
  });
});

/** The core modules of a file: itself, or those of the component it is, however deep. */
function coreModules(bytes: Uint8Array): Uint8Array[] {
  if (bytes[6] === 0x00) return [bytes];
  const found: Uint8Array[] = [];
  let position = 8;
  while (position < bytes.length) {
    const id = bytes[position]!;
    let length = 0;
    let shift = 0;
    do {
      position += 1;
      length |= (bytes[position]! & 0x7f) << shift;
      shift += 7;
    } while (bytes[position]! & 0x80);
    position += 1;
    const body = bytes.subarray(position, position + length);
    if (id === 1 || id === 4) found.push(...coreModules(body));
    position += length;
  }
  return found;
}

test("every module that the component tools bring is rewritten to a valid module", () => {
  const require = createRequire(import.meta.url);
  const tools = join(dirname(require.resolve("@bytecodealliance/jco")), "../../..");
  const files = readdirSync(tools, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".wasm"))
    .map((name) => join(tools, name));
  let modules = 0;
  for (const file of files)
    for (const bytes of coreModules(new Uint8Array(readFileSync(file)))) {
      const rewritten = rewrite(bytes, { memoryPagesMax: 1_024, tableElementsMax: 100_000 });
      expect(WebAssembly.validate(rewritten), file).toBe(true);
      modules += 1;
    }
  expect(modules).toBeGreaterThan(5);
});
