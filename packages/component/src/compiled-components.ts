/**
 * The components a node has compiled: children that run the same one share its modules and all that is known of it.
 *
 * @module
 */
import type { Kernel } from "@coppice/kernel";
import { digest } from "./cache.ts";
import { compileBytes, type CompiledComponent, type CompileOptions } from "./compile.ts";
import { readSource } from "./component-source.ts";

/** By what makes them equal. Kept for as long as something uses it. */
type Compiled = Map<string, WeakRef<Promise<CompiledComponent>>>;

const compiledOf = new WeakMap<Kernel, Compiled>();

/**
 * A component compiled for this node, at once if another child uses the same one.
 *
 * @param replaced names what the host gives of WASI.
 * @throws as {@link compileBytes}.
 */
export async function compileFor(
  kernel: Kernel,
  options: Omit<CompileOptions, "logger">,
  replaced: readonly string[],
): Promise<CompiledComponent> {
  const all = { ...options, logger: kernel.logger } as CompileOptions;
  const bytes = await readSource(all);
  const key = digest(
    bytes,
    all.cacheDir,
    String(all.memoryBytes),
    String(all.metering),
    String(all.experimentalAsync),
    ...replaced,
  );
  const known: Compiled = compiledOf.get(kernel) ?? new Map();
  compiledOf.set(kernel, known);
  const shared = known.get(key)?.deref();
  if (shared !== undefined) return shared;
  const made = compileBytes(bytes, all);
  known.set(key, new WeakRef(made));
  made.catch(() => known.delete(key)); // What failed may be tried again.
  return made;
}
