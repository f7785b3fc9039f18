/**
 * Patches of source text, applied while modules are loaded: how a planted bug gets into production code that knows nothing
 * of it.
 *
 * @module
 */
import { registerHooks } from "node:module";

/** A change of one file. */
export interface SourcePatch {
  /** From the root of the repository, with slashes. */
  readonly file: string;
  /** The exact text that is replaced; it must be there once. */
  readonly find: string;
  readonly replace: string;
}

/** Applies patches to modules that this thread loads from now on. Returns those that were applied so far. */
export function patchSources(patches: readonly SourcePatch[]): ReadonlySet<SourcePatch> {
  const applied = new Set<SourcePatch>();
  registerHooks({
    load: (url, context, nextLoad) => {
      const result = nextLoad(url, context);
      const wanted = patches.filter(({ file }) => url.endsWith(`/${file}`));
      if (wanted.length === 0) return result;
      const source = wanted.reduce(apply, textOf(result.source, url));
      for (const patch of wanted) applied.add(patch);
      return { ...result, source };
    },
  });
  return applied;
}

function apply(source: string, { file, find, replace }: SourcePatch): string {
  const count = source.split(find).length - 1;
  if (count !== 1)
    throw new Error(`${file} has the text ${count} times, not once: ${JSON.stringify(find)}`);
  return source.replace(find, () => replace);
}

function textOf(source: unknown, url: string): string {
  if (typeof source === "string") return source;
  if (source instanceof Uint8Array) return new TextDecoder().decode(source);
  throw new Error(`${url} has no source text`);
}
