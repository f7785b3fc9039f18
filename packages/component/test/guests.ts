/**
 * A small component that misbehaves in every way a scheduler has to deal with, built from text.
 *
 * @module
 */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco";
import {
  type CompiledComponent,
  compileComponent,
  type ComponentInstance,
  type GuestLimits,
  type HostFunction,
  instantiate,
  type Scheduler,
} from "@coppice/component";
import { silentLogger } from "@coppice/kernel";

const text = `(component
  (import "pause" (func $pause))
  (import "answer" (func $answer (result u32)))
  (core func $pause-core (canon lower (func $pause)))
  (core func $answer-core (canon lower (func $answer)))
  (core module $guest
    (import "host" "pause" (func $pause)) (import "host" "answer" (func $answer (result i32)))
    (memory (export "memory") 1)
    (global $count (mut i32) (i32.const 0))
    (global $spin-in-realloc (mut i32) (i32.const 0))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (loop $l (br_if $l (global.get $spin-in-realloc))) (i32.const 1024))
    (func (export "spin") (loop $l (br $l)))
    (func (export "spin-and-catch") (loop $l (block $h (try_table (catch_all $h) (loop $m (br $m)))) (br $l)))
    (func (export "work") (param $n i32) (result i32) (local $i i32)
      (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))) (local.get $i))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "bump") (result i32) (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
    (func (export "ask") (result i32) (call $answer))
    (func (export "pause-once") (call $pause))
    (func (export "pause-and-catch") (loop $l (block $h (try_table (catch_all $h) (call $pause))) (br $l)))
    (func (export "pause-for-ever") (loop $l (call $pause) (br $l)))
    (func (export "fill-for-ever") (drop (memory.grow (i32.const 255)))
      (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br $l)))
    (func (export "arm") (global.set $spin-in-realloc (i32.const 1)))
    (func (export "take") (param i32 i32) (result i32) (local.get 1))
    (func (export "give") (result i32) (i32.store (i32.const 16) (i32.const 32)) (i32.store (i32.const 20) (i32.const 0)) (i32.const 16))
    (func (export "give-post") (param i32) (loop $l (br $l)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "boom") unreachable)
  )
  (core instance $i (instantiate $guest (with "host" (instance
    (export "pause" (func $pause-core)) (export "answer" (func $answer-core))))))
  ${[
    "spin",
    "spin-and-catch",
    "pause-once",
    "pause-and-catch",
    "pause-for-ever",
    "fill-for-ever",
    "arm",
    "boom",
  ]
    .map((name) => `(func (export "${name}") (canon lift (core func $i "${name}")))`)
    .join("\n")}
  (func (export "work") (param "n" u32) (result u32) (canon lift (core func $i "work")))
  (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $i "grow")))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "bump") (result u32) (canon lift (core func $i "bump")))
  (func (export "ask") (result u32) (canon lift (core func $i "ask")))
  (func (export "take") (param "text" string) (result u32)
    (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc"))))
  (func (export "give") (result string)
    (canon lift (core func $i "give") (memory (core memory $i "memory")) (post-return (core func $i "give-post"))))
)`;

/** The component's file, in a folder of its own. */
export async function buildGuest(source = text): Promise<{ path: string; cacheDir: string }> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-guest-"));
  const path = join(folder, "guest.wasm");
  await writeFile(path, await parse(source));
  return { path, cacheDir: join(folder, "cache") };
}

/** What its instances are made with. */
export interface CompiledGuest {
  readonly compiled: CompiledComponent;
  readonly limits: GuestLimits;
}

export async function compileGuest(
  built: { readonly path: string; readonly cacheDir: string },
  limits: GuestLimits = {},
): Promise<CompiledGuest> {
  return {
    compiled: await compileComponent({ ...built, logger: silentLogger, ...limits }),
    limits,
  };
}

/** An instance whose imports do nothing, unless given. */
export function open(
  { compiled, limits }: CompiledGuest,
  scheduler: Scheduler,
  imports: Readonly<Record<string, HostFunction>> = {},
): Promise<ComponentInstance> {
  return instantiate(compiled, {
    ...limits,
    scheduler,
    imports: { pause: () => {}, answer: () => 42, ...imports },
    onOutput: () => {},
  });
}
