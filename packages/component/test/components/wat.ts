/**
 * Components of WebAssembly text: parsed and wrapped by jco's tools, in the test's own process.
 *
 * @module
 */
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco";
import { silentLogger } from "@coppice/kernel";
import { digest, FileCache } from "../../src/cache.ts";
import { toolVersions } from "../../src/toolchain.ts";
import { cacheDir } from "../chat-room.ts";

/** A world, and the core module that has it. */
export interface WatSource {
  readonly wit: string;
  readonly world: string;
  /** The core module's text, with the names that the canonical ABI's legacy mangling gives. */
  readonly wat: string;
}

const cache = new FileCache(`${cacheDir}/test`, silentLogger);

/** Built without the cache, for sources that are never built twice. */
export async function freshWatComponent({ wit, world, wat }: WatSource): Promise<Uint8Array> {
  return wrapped(await parse(wat), wit, world);
}

export async function watComponent(source: WatSource): Promise<Uint8Array> {
  const { wit, world, wat } = source;
  const key = digest(toolVersions, wit, world, wat);
  const cached = await cache.read(key);
  if (cached !== undefined) return cached["component.wasm"]!;
  const bytes = await freshWatComponent(source);
  await cache.write(key, { "component.wasm": bytes });
  return bytes;
}

/** A core module as a component. */
export async function wrapped(
  binary: Uint8Array,
  wit: string,
  world: string,
  adapters: [string, Uint8Array][] = [],
): Promise<Uint8Array> {
  const embedded = await componentEmbed({ binary, witSource: wit, world });
  return componentNew(embedded, adapters);
}

/** Memory and an allocator that never frees, except that a call's end gives everything back. */
export const allocator = `
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 1024))
  (func $reset (global.set $free (i32.const 1024)))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    ;; Aligned to what is asked for: (free + align - 1) & -align
    (local.set $at (i32.and
      (i32.sub (i32.add (global.get $free) (local.get 2)) (i32.const 1))
      (i32.sub (i32.const 0) (local.get 2))))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
      (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1)
          (i32.div_u (local.get 3) (i32.const 65536)))))
        (then unreachable)))
    (memory.copy (local.get $at) (local.get 0) (local.get 1))
    (local.get $at))`;
