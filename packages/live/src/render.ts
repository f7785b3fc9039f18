/**
 * From templates to render trees, and from two trees to the patch between them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Patch, Tree } from "./client/tree.ts";
import { escapeHtml, type Hole, List, Raw, Template } from "./template.ts";

/** The templates a tree uses, by id. */
export type UsedStatics = Map<string, readonly string[]>;

const ids = new WeakMap<TemplateStringsArray, string>();

/** The same text has the same id on every node. */
function idOf(statics: TemplateStringsArray): string {
  let id = ids.get(statics);
  if (id === undefined) {
    id = createHash("sha256").update(JSON.stringify(statics)).digest("base64url").slice(0, 10);
    ids.set(statics, id);
  }
  return id;
}

/** Notes in `used` the fixed parts of every template it meets. */
export function buildTree(hole: Hole, used: UsedStatics): Tree {
  if (hole instanceof Template) {
    const id = idOf(hole.statics);
    used.set(id, hole.statics);
    return { t: id, d: hole.holes.map((each) => buildTree(each, used)) };
  }
  if (hole instanceof List) return buildList(hole, used);
  if (hole instanceof Raw) return hole.text;
  if (hole === null || hole === undefined || hole === false) return "";
  return escapeHtml(String(hole));
}

function buildList({ rows }: List, used: UsedStatics): Tree {
  const keys: string[] = [];
  const built: Record<string, Tree[]> = {};
  let id = "";
  for (const [key, template] of rows) {
    id = idOf(template.statics);
    used.set(id, template.statics);
    keys.push(key);
    built[key] = template.holes.map((each) => buildTree(each, used));
  }
  return { t: id, k: keys, m: built };
}

/** What turns `before` into `after`; nothing if they are equal. */
export function diff(before: Tree | undefined, after: Tree): Patch | undefined {
  if (typeof before === "string" || before === undefined || typeof after === "string")
    return before === after ? undefined : { r: after };
  const isList = "m" in after;
  if (before.t !== after.t || "m" in before !== isList) return { r: after };
  if ("m" in before && "m" in after) return diffLists(before, after);
  if ("d" in before && "d" in after) {
    const holes = diffHoles(before.d, after.d);
    return holes === undefined ? undefined : { p: holes };
  }
  return { r: after };
}

function diffHoles(
  before: readonly Tree[],
  after: readonly Tree[],
): Record<string, Patch> | undefined {
  let patches: Record<string, Patch> | undefined;
  for (const [index, hole] of after.entries()) {
    const patch = diff(before[index], hole);
    if (patch === undefined) continue;
    patches ??= {};
    patches[index] = patch;
  }
  return patches;
}

type ListTree = Extract<Tree, { readonly m: unknown }>;

function diffLists(before: ListTree, after: ListTree): Patch | undefined {
  const added: Record<string, Tree[]> = {};
  const updated: Record<string, Record<string, Patch>> = {};
  for (const key of after.k) {
    const old = before.m[key];
    if (old === undefined) {
      added[key] = after.m[key]!;
      continue;
    }
    const patches = diffHoles(old, after.m[key]!);
    if (patches !== undefined) updated[key] = patches;
  }
  const isPrefix = before.k.every((key, index) => after.k[index] === key);
  const appended = after.k.slice(before.k.length);
  if (isPrefix && appended.length === 0 && Object.keys(updated).length === 0) return undefined;
  return {
    ...(Object.keys(added).length > 0 ? { n: added } : {}),
    ...(Object.keys(updated).length > 0 ? { u: updated } : {}),
    ...(isPrefix ? { a: appended } : { k: after.k }),
  };
}
