;; What `npm run bench` measures the cost of metering with, and guests for its schedulers: a component of plain functions.
(component
  (core module $kernels
    (memory (export "memory") 16)

    ;; Recursion.
    (func $fib (export "fib") (param $n i32) (result i32)
      (if (result i32) (i32.lt_u (local.get $n) (i32.const 2))
        (then (local.get $n))
        (else (i32.add
          (call $fib (i32.sub (local.get $n) (i32.const 1)))
          (call $fib (i32.sub (local.get $n) (i32.const 2)))))))

    ;; Short inner loops over bytes: primes below $n.
    (func (export "sieve") (param $n i32) (result i32) (local $i i32) (local $j i32) (local $count i32)
      (memory.fill (i32.const 0) (i32.const 0) (local.get $n))
      (local.set $i (i32.const 2))
      (loop $next
        (if (i32.eqz (i32.load8_u (local.get $i)))
          (then
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (local.set $j (i32.shl (local.get $i) (i32.const 1)))
            (block $done
              (br_if $done (i32.ge_u (local.get $j) (local.get $n)))
              (loop $strike
                (i32.store8 (local.get $j) (i32.const 1))
                (br_if $strike (i32.lt_u
                  (local.tee $j (i32.add (local.get $j) (local.get $i)))
                  (local.get $n)))))))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (local.get $n))))
      (local.get $count))

    ;; SHA-256 of $n blocks of whatever is in memory. Round constants at 0, schedule at 256, state at 512, data at 4096.
    (data $constants "\98\2f\8a\42\91\44\37\71\cf\fb\c0\b5\a5\db\b5\e9\5b\c2\56\39\f1\11\f1\59\a4\82\3f\92\d5\5e\1c\ab\98\aa\07\d8\01\5b\83\12\be\85\31\24\c3\7d\0c\55\74\5d\be\72\fe\b1\de\80\a7\06\dc\9b\74\f1\9b\c1\c1\69\9b\e4\86\47\be\ef\c6\9d\c1\0f\cc\a1\0c\24\6f\2c\e9\2d\aa\84\74\4a\dc\a9\b0\5c\da\88\f9\76\52\51\3e\98\6d\c6\31\a8\c8\27\03\b0\c7\7f\59\bf\f3\0b\e0\c6\47\91\a7\d5\51\63\ca\06\67\29\29\14\85\0a\b7\27\38\21\1b\2e\fc\6d\2c\4d\13\0d\38\53\54\73\0a\65\bb\0a\6a\76\2e\c9\c2\81\85\2c\72\92\a1\e8\bf\a2\4b\66\1a\a8\70\8b\4b\c2\a3\51\6c\c7\19\e8\92\d1\24\06\99\d6\85\35\0e\f4\70\a0\6a\10\16\c1\a4\19\08\6c\37\1e\4c\77\48\27\b5\bc\b0\34\b3\0c\1c\39\4a\aa\d8\4e\4f\ca\9c\5b\f3\6f\2e\68\ee\82\8f\74\6f\63\a5\78\14\78\c8\84\08\02\c7\8c\fa\ff\be\90\eb\6c\50\a4\f7\a3\f9\be\f2\78\71\c6")
    (func $block (param $data i32) (local $t i32) (local $x i32) (local $y i32)
      (local $a i32) (local $b i32) (local $c i32) (local $d i32)
      (local $e i32) (local $f i32) (local $g i32) (local $h i32)
      (memory.copy (i32.const 256) (local.get $data) (i32.const 64))
      (local.set $t (i32.const 64))
      (loop $schedule
        (local.set $x (i32.load offset=196 (local.get $t)))
        (local.set $y (i32.load offset=248 (local.get $t)))
        (i32.store offset=256 (local.get $t) (i32.add
          (i32.add (i32.load offset=192 (local.get $t)) (i32.load offset=228 (local.get $t)))
          (i32.add
            (i32.xor (i32.xor (i32.rotr (local.get $x) (i32.const 7)) (i32.rotr (local.get $x) (i32.const 18)))
              (i32.shr_u (local.get $x) (i32.const 3)))
            (i32.xor (i32.xor (i32.rotr (local.get $y) (i32.const 17)) (i32.rotr (local.get $y) (i32.const 19)))
              (i32.shr_u (local.get $y) (i32.const 10))))))
        (br_if $schedule (i32.lt_u
          (local.tee $t (i32.add (local.get $t) (i32.const 4)))
          (i32.const 256))))
      (local.set $a (i32.load (i32.const 512))) (local.set $b (i32.load (i32.const 516)))
      (local.set $c (i32.load (i32.const 520))) (local.set $d (i32.load (i32.const 524)))
      (local.set $e (i32.load (i32.const 528))) (local.set $f (i32.load (i32.const 532)))
      (local.set $g (i32.load (i32.const 536))) (local.set $h (i32.load (i32.const 540)))
      (local.set $t (i32.const 0))
      (loop $round
        (local.set $x (i32.add
          (i32.add
            (i32.add (local.get $h)
              (i32.xor (i32.xor (i32.rotr (local.get $e) (i32.const 6)) (i32.rotr (local.get $e) (i32.const 11)))
                (i32.rotr (local.get $e) (i32.const 25))))
            (i32.xor (i32.and (local.get $e) (local.get $f))
              (i32.and (i32.xor (local.get $e) (i32.const -1)) (local.get $g))))
          (i32.add (i32.load (local.get $t)) (i32.load offset=256 (local.get $t)))))
        (local.set $y (i32.add
          (i32.xor (i32.xor (i32.rotr (local.get $a) (i32.const 2)) (i32.rotr (local.get $a) (i32.const 13)))
            (i32.rotr (local.get $a) (i32.const 22)))
          (i32.xor (i32.xor (i32.and (local.get $a) (local.get $b)) (i32.and (local.get $a) (local.get $c)))
            (i32.and (local.get $b) (local.get $c)))))
        (local.set $h (local.get $g)) (local.set $g (local.get $f)) (local.set $f (local.get $e))
        (local.set $e (i32.add (local.get $d) (local.get $x)))
        (local.set $d (local.get $c)) (local.set $c (local.get $b)) (local.set $b (local.get $a))
        (local.set $a (i32.add (local.get $x) (local.get $y)))
        (br_if $round (i32.lt_u
          (local.tee $t (i32.add (local.get $t) (i32.const 4)))
          (i32.const 256))))
      (i32.store (i32.const 512) (i32.add (i32.load (i32.const 512)) (local.get $a)))
      (i32.store (i32.const 516) (i32.add (i32.load (i32.const 516)) (local.get $b)))
      (i32.store (i32.const 520) (i32.add (i32.load (i32.const 520)) (local.get $c)))
      (i32.store (i32.const 524) (i32.add (i32.load (i32.const 524)) (local.get $d)))
      (i32.store (i32.const 528) (i32.add (i32.load (i32.const 528)) (local.get $e)))
      (i32.store (i32.const 532) (i32.add (i32.load (i32.const 532)) (local.get $f)))
      (i32.store (i32.const 536) (i32.add (i32.load (i32.const 536)) (local.get $g)))
      (i32.store (i32.const 540) (i32.add (i32.load (i32.const 540)) (local.get $h))))
    (func (export "sha") (param $n i32) (result i32)
      (memory.init $constants (i32.const 0) (i32.const 0) (i32.const 256))
      (loop $next
        (call $block (i32.add (i32.const 4096)
          (i32.shl (i32.and (local.get $n) (i32.const 1023)) (i32.const 6))))
        (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i32.load (i32.const 512)))

    ;; Sorting $n pseudo-random numbers, compared through a table as C does it.
    (type $compare (func (param i32 i32) (result i32)))
    (table 1 funcref) (elem (i32.const 0) $less)
    (func $less (type $compare) (i32.lt_s (local.get 0) (local.get 1)))
    (func $quicksort (param $low i32) (param $high i32) (local $i i32) (local $j i32) (local $pivot i32) (local $swap i32)
      (local.set $i (local.get $low)) (local.set $j (local.get $high))
      (local.set $pivot (i32.load
        (i32.and (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)) (i32.const -4))))
      (loop $next
        (block $at-i (loop $up
          (br_if $at-i (i32.eqz (call_indirect (type $compare) (i32.load (local.get $i)) (local.get $pivot) (i32.const 0))))
          (local.set $i (i32.add (local.get $i) (i32.const 4))) (br $up)))
        (block $at-j (loop $down
          (br_if $at-j (i32.eqz (call_indirect (type $compare) (local.get $pivot) (i32.load (local.get $j)) (i32.const 0))))
          (local.set $j (i32.sub (local.get $j) (i32.const 4))) (br $down)))
        (if (i32.le_s (local.get $i) (local.get $j))
          (then
            (local.set $swap (i32.load (local.get $i)))
            (i32.store (local.get $i) (i32.load (local.get $j)))
            (i32.store (local.get $j) (local.get $swap))
            (local.set $i (i32.add (local.get $i) (i32.const 4)))
            (local.set $j (i32.sub (local.get $j) (i32.const 4)))))
        (br_if $next (i32.le_s (local.get $i) (local.get $j))))
      (if (i32.lt_s (local.get $low) (local.get $j)) (then (call $quicksort (local.get $low) (local.get $j))))
      (if (i32.lt_s (local.get $i) (local.get $high)) (then (call $quicksort (local.get $i) (local.get $high)))))
    (func (export "qsort") (param $n i32) (result i32) (local $i i32) (local $x i32)
      (local.set $x (i32.const 12345))
      (loop $next
        (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
        (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $x))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (call $quicksort (i32.const 0) (i32.shl (i32.sub (local.get $n) (i32.const 1)) (i32.const 2)))
      (i32.load (i32.const 0)))

    (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "spin") (param i32) (result i32) (loop $for-ever (br $for-ever)) (unreachable))
  )
  (core instance $i (instantiate $kernels))
  (func (export "fib") (param "n" u32) (result u32) (canon lift (core func $i "fib")))
  (func (export "sieve") (param "n" u32) (result u32) (canon lift (core func $i "sieve")))
  (func (export "sha") (param "n" u32) (result u32) (canon lift (core func $i "sha")))
  (func (export "qsort") (param "n" u32) (result s32) (canon lift (core func $i "qsort")))
  (func (export "add") (param "n" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "spin") (param "n" u32) (result u32) (canon lift (core func $i "spin")))
)
