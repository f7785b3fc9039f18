/**
 * A component that hands values of any types back, and through a function of the host, generated for the types given.
 *
 * Sixteen numbers follow each value, so that arguments are passed in memory: there a value looks as it does in a result,
 * and the guest has nothing to do but return the address. All the work is the host's.
 *
 * @module
 */
import { allocator, type WatSource } from "./wat.ts";

/** How many numbers follow: with a value before them more than the canonical ABI passes as core parameters. */
export const paddingCount = 16;
export const padding: readonly number[] = Array.from({ length: paddingCount }, (_, index) => index);

/** Types as WIT writes them, and the definitions they use. Function `echo-<i>` and `host-<i>` are for `types[i]`. */
export function echoSource(types: readonly string[], definitions: string): WatSource {
  const pads = padding.map((index) => `p${index}: u32`).join(", ");
  const items = types.flatMap((type, index) => [
    `import host-${index}: func(v: ${type}, ${pads}) -> tuple<${type}, u32>;`,
    `export echo-${index}: func(v: ${type}, ${pads}) -> tuple<${type}, u32>;`,
    `export through-${index}: func(v: ${type}, ${pads}) -> tuple<${type}, u32>;`,
  ]);
  const wit = `package test:echo; world echo { ${definitions}\n${items.join("\n")} }`;
  const imports = types.map(
    (_, index) => `(import "$root" "host-${index}" (func $host-${index} (param i32 i32)))`,
  );
  const functions = types.map(
    (_, index) => `
  (func (export "echo-${index}") (param i32) (result i32) (local.get 0))
  (func (export "cabi_post_echo-${index}") (param i32) (call $reset))
  (func (export "through-${index}") (param i32) (result i32)
    (local $result i32)
    (local.set $result (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 8192)))
    (call $host-${index} (local.get 0) (local.get $result))
    (local.get $result))
  (func (export "cabi_post_through-${index}") (param i32) (call $reset))`,
  );
  const named = allocator.replace(
    '(func (export "cabi_realloc")',
    '(func $realloc (export "cabi_realloc")',
  );
  return {
    wit,
    world: "echo",
    wat: `(module ${imports.join("\n")} ${named} ${functions.join("\n")})`,
  };
}
