;; The least there can be: a sum, a question to the host, a trap.
(module
  (import "$root" "number" (func $number (result i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "ask") (result i32) (call $number))
  (func (export "crash") unreachable))
