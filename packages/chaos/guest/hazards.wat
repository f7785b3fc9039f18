;; A guest that answers, and does on request what a guest may do wrong.
(component
  (core module $hazards
    (memory (export "memory") 1)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "trap") unreachable)
    (func (export "spin") (loop $for_ever (br $for_ever)))
    ;; Takes memory, and writes to it, until there is no more.
    (func (export "hoard") (result i32) (local $at i32)
      (block $full
        (loop $more
          (local.set $at (memory.grow (i32.const 16)))
          (br_if $full (i32.eq (local.get $at) (i32.const -1)))
          (memory.fill
            (i32.mul (local.get $at) (i32.const 65536)) (i32.const 1) (i32.const 1048576))
          (br $more)))
      (memory.size)))
  (core instance $guest (instantiate $hazards))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $guest "add")))
  (func (export "trap") (canon lift (core func $guest "trap")))
  (func (export "spin") (canon lift (core func $guest "spin")))
  (func (export "hoard") (result u32) (canon lift (core func $guest "hoard"))))
