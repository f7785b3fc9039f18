/**
 * Render trees as the browser holds them: patched by what the server sends, turned into HTML.
 *
 * Runs in the browser and in tests.
 *
 * @module
 */

/** The fixed parts of each template, by id. */
export type Statics = Readonly<Record<string, readonly string[]>>;

/** A filled template, a keyed list of one template, or text that is HTML already. */
export type Tree =
  | string
  | { t: string; d: Tree[] }
  | { t: string; k: string[]; m: Record<string, Tree[]> };

/** Changes to a tree: by hole, or for a list its new keys, new rows and changed rows. */
export type Patch =
  | { readonly r: Tree }
  | { readonly p: Readonly<Record<string, Patch>> }
  | {
      readonly k?: readonly string[];
      readonly a?: readonly string[];
      readonly n?: Readonly<Record<string, Tree[]>>;
      readonly u?: Readonly<Record<string, Readonly<Record<string, Patch>>>>;
    };

export function applyPatch(tree: Tree | undefined, patch: Patch): Tree {
  if ("r" in patch) return patch.r;
  if (tree === undefined || typeof tree === "string") throw new Error("a patch without its tree");
  if ("p" in patch) {
    if (!("d" in tree)) throw new Error("a patch of a template meets a list");
    return { t: tree.t, d: patched(tree.d, patch.p) };
  }
  if (!("m" in tree)) throw new Error("a patch of a list meets a template");
  const rows: Record<string, Tree[]> = { ...tree.m, ...patch.n };
  for (const [key, holes] of Object.entries(patch.u ?? {})) rows[key] = patched(rows[key]!, holes);
  const keys = patch.k === undefined ? [...tree.k, ...(patch.a ?? [])] : [...patch.k];
  return { t: tree.t, k: keys, m: Object.fromEntries(keys.map((key) => [key, rows[key]!])) };
}

function patched(holes: readonly Tree[], patches: Readonly<Record<string, Patch>>): Tree[] {
  const next = [...holes];
  for (const [index, patch] of Object.entries(patches))
    next[Number(index)] = applyPatch(next[Number(index)], patch);
  return next;
}

export function toHtml(tree: Tree, statics: Statics): string {
  if (typeof tree === "string") return tree;
  if ("d" in tree) return filled(statics[tree.t]!, tree.d, statics);
  return tree.k.map((key) => filled(statics[tree.t]!, tree.m[key]!, statics)).join("");
}

function filled(parts: readonly string[], holes: readonly Tree[], statics: Statics): string {
  let text = parts[0]!;
  for (const [index, hole] of holes.entries()) text += toHtml(hole, statics) + parts[index + 1]!;
  return text;
}
