import { rewrite } from "@coppice/meter";
import { describe, expect, test } from "vitest";
import { call, metered, plain, wat } from "./modules.ts";

/** By feature: a module whose `run` takes a number and loops that many times, or recurses. */
const features: Readonly<Record<string, string>> = {
  "nested loops with values on the stack": `(func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32)
    (i32.const 1000)
    (loop $outer (param i32) (result i32)
      (local.set $s (i32.const 0))
      (loop $inner (local.set $s (i32.add (local.get $s) (i32.const 3)))
        (br_if $inner (i32.lt_u (local.get $s) (i32.const 30))))
      (i32.add (local.get $s))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))`,
  recursion: `(func $fib (export "run") (param $n i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $n) (i32.const 2)) (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (call $fib (i32.sub (local.get $n) (i32.const 2)))))))`,
  "tables, indirect calls, branch tables": `(type $t (func (param i32) (result i32))) (table 3 funcref) (elem (i32.const 0) $a $b $c)
    (func $a (type $t) (i32.add (local.get 0) (i32.const 1))) (func $b (type $t) (i32.mul (local.get 0) (i32.const 3)))
    (func $c (type $t) (block $x (block $y (block $z (br_table $x $y $z (i32.rem_u (local.get 0) (i32.const 3))))
      (return (i32.const 5))) (return (i32.const 6))) (i32.const 7))
    (func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32)
      (loop $l (local.set $s (i32.xor (i32.rotl (local.get $s) (i32.const 3)) (call_indirect (type $t) (local.get $s) (i32.rem_u (local.get $i) (i32.const 3)))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))) (local.get $s))`,
  "bulk memory": `(memory 2) (data $d "hello") (table $t 20 funcref) (elem $e func $run $run)
    (func $run (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32)
      (loop $l (memory.fill (i32.const 100) (local.get $i) (i32.const 500)) (memory.copy (i32.const 700) (i32.const 90) (i32.const 400))
        (memory.init $d (i32.const 900) (i32.const 1) (i32.const 3)) (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))
        (table.copy (i32.const 4) (i32.const 0) (i32.const 3)) (table.fill $t (i32.const 9) (ref.null func) (i32.const 5))
        (drop (table.grow $t (ref.null func) (i32.const 1)))
        (local.set $s (i32.add (i32.load (i32.const 899)) (i32.add (local.get $s) (table.size $t))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))) (local.get $s))
    (func (export "drop") (data.drop $d) (elem.drop $e))`,
  "several memories": `(memory $a 1) (memory $b 1)
    (func (export "run") (param $n i32) (result i32) (local $i i32)
      (loop $l (i32.store $b offset=4 (local.get $i) (i32.add (i32.load $a (local.get $i)) (local.get $i)))
        (memory.copy $a $b (i32.const 0) (i32.const 0) (i32.const 200))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))) (i32.load $a (i32.const 7)))`,
  vectors: `(memory 1) (func (export "run") (param $n i32) (result i32) (local $i i32) (local $v v128)
      (loop $l (local.set $v (i32x4.add (local.get $v) (v128.const i32x4 1 2 3 4)))
        (local.set $v (i8x16.shuffle 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12 (local.get $v) (local.get $v)))
        (v128.store offset=16 (i32.const 0) (local.get $v)) (v128.store8_lane 3 (i32.const 5) (local.get $v))
        (local.set $v (v128.xor (local.get $v) (v128.load32_splat (i32.const 16))))
        (local.set $v (i8x16.relaxed_swizzle (local.get $v) (i8x16.replace_lane 4 (local.get $v) (i32.const 9))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (i32.add (i32x4.extract_lane 1 (local.get $v)) (i32x4.extract_lane 2 (v128.load (i32.const 8)))))`,
  atomics: `(memory 1) (func (export "run") (param $n i32) (result i32) (local $i i32)
      (loop $l (drop (i32.atomic.rmw.add offset=8 (i32.const 0) (local.get $i))) (atomic.fence)
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (i32.add (i32.atomic.load (i32.const 8)) (memory.atomic.notify (i32.const 0) (i32.const 1))))`,
  "tail calls": `(type $t (func (param i32 i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $c)
    (func $run (export "run") (param $n i32) (result i32) (return_call $a (local.get $n) (i32.const 0)))
    (func $a (type $t) (if (i32.eqz (local.get 0)) (then (return (local.get 1)))) (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 2)) (i32.const 0)))
    (func $c (type $t) (return_call_ref $t (local.get 0) (i32.add (local.get 1) (i32.const 1)) (ref.func $a))) (elem declare func $a)`,
  exceptions: `(tag $e (param i32)) (func $throws (param i32) (throw $e (local.get 0)))
    (func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32)
      (loop $l (local.set $s (i32.add (local.get $s) (block $h (result i32) (try_table (catch $e $h) (call $throws (local.get $i))) (i32.const 0))))
        (block $r (result exnref) (try_table (catch_all_ref $r) (call $throws (i32.const 1))) (unreachable)) (drop)
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))) (local.get $s))`,
  "exceptions in their older form": `(tag $e (param i32)) (func $throws (param i32) (throw $e (local.get 0)))
    (func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32)
      (loop $l local.get $s try (result i32) (call $throws (local.get $i)) i32.const 0 catch $e catch_all i32.const 4 end i32.add local.set $s
        try $t try (call $throws (i32.const 1)) delegate $t catch_all (local.set $s (i32.add (local.get $s) (i32.const 5))) end
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))) (local.get $s))`,
  "structs, arrays and casts": `(rec (type $s (sub (struct (field (mut i32)) (field i8)))) (type $s2 (sub $s (struct (field (mut i32)) (field i8) (field i64)))))
    (type $arr (array (mut i32))) (type $bytes (array (mut i8))) (data $d "abcdefgh") (global $g (ref $s) (struct.new $s (i32.const 4) (i32.const 5)))
    (func (export "run") (param $n i32) (result i32) (local $i i32) (local $a (ref null $arr)) (local $r anyref) (local $sum i32)
      (local.set $a (array.new $arr (i32.const 3) (i32.const 50)))
      (loop $l (array.fill $arr (local.get $a) (i32.const 1) (local.get $i) (i32.const 9)) (array.copy $arr $arr (local.get $a) (i32.const 11) (local.get $a) (i32.const 0) (i32.const 20))
        (local.set $sum (i32.add (local.get $sum) (array.get $arr (local.get $a) (i32.const 12))))
        (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (array.new_data $bytes $d (i32.const 1) (i32.const 4)) (i32.const 2))))
        (local.set $r (struct.new $s2 (local.get $i) (i32.const 7) (i64.const 9)))
        (local.set $sum (i32.add (local.get $sum) (block $no (result i32)
          (block $yes (result (ref $s2)) (br_on_cast $yes anyref (ref $s2) (local.get $r)) (drop) (br $no (i32.const 1))) (struct.get $s2 0))))
        (if (ref.test (ref i31) (ref.i31 (local.get $i))) (then (struct.set $s 0 (global.get $g) (i32.add (struct.get $s 0 (global.get $g)) (array.len (local.get $a))))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (i32.add (local.get $sum) (struct.get $s 0 (ref.cast (ref $s) (global.get $g)))))`,
  "extended constants and typed references": `(global $base i32 (i32.const 8)) (memory 1) (data (offset (i32.add (i32.const 2) (i32.mul (i32.const 3) (i32.const 2)))) "\\05") (global $g (mut i64) (i64.sub (i64.const 9) (i64.const 4)))
    (type $t (func (param i32) (result i32))) (table 2 (ref $t) (ref.func $f)) (func $f (type $t) (i32.add (local.get 0) (i32.load8_u (global.get $base))))
    (func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32) (local $h (ref $t))
      (local.set $h (ref.func $f))
      (loop $l (global.set $g (i64.add (global.get $g) (i64.extend_i32_u (local.get $i)))) (local.set $s (call_ref $t (local.get $s) (local.get $h)))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (select (result i32) (i32.add (local.get $s) (i32.wrap_i64 (global.get $g))) (i32.const 0) (ref.is_null (ref.null extern))))`,
};

/** Enough to use up more than one fill. */
function runs(name: string): number {
  return name === "recursion" ? 15 : 1_000;
}

describe("a rewritten module", () => {
  test.for(Object.entries(features))(
    "computes the same and pays for it: %s",
    async ([name, text]) => {
      const bytes = await wat(`(module ${text})`);
      const { exports, asked } = metered(bytes);
      const original = plain(bytes);
      for (const n of [1, 2, runs(name)])
        expect(call(exports, "run", n)).toBe(call(original, "run", n));
      expect(asked()).toBeGreaterThan(0);
    },
  );

  test.for(Object.entries(features))(
    "stops in the middle when killed: %s",
    async ([name, text]) => {
      const { exports } = metered(await wat(`(module ${text})`), { fillsMax: 0 });
      expect(() => call(exports, "run", runs(name))).toThrow(WebAssembly.RuntimeError);
    },
  );

  test("keeps the names of its functions and drops what locates code", async () => {
    const bytes = await wat(
      `(module (func $boom (export "run") unreachable) (@custom ".debug_info" "x") (@custom "mine" "y"))`,
    );
    const rewritten = rewrite(bytes);
    const text = new TextDecoder("latin1").decode(rewritten);
    expect(text).not.toContain(".debug_info");
    expect(text).toContain("mine");
    expect(() => call(plain(rewritten), "run")).toThrow(/unreachable/);
    try {
      call(plain(rewritten), "run");
    } catch (thrown) {
      expect((thrown as Error).stack).toContain("boom");
    }
  });

  test("without functions of its own stays a module", async () => {
    const bytes = await wat(`(module (import "m" "f" (func)) (export "f" (func 0)))`);
    expect(plain(rewrite(bytes), { m: { f: () => {} } })["f"]).toBeTypeOf("function");
    expect(plain(rewrite(await wat("(module)")))).toBeDefined();
  });
});
