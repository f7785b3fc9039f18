/**
 * Rows as text for people: aligned tables, and supervision trees.
 *
 * @module
 */
import type { ProcessRow } from "@coppice/cluster";

/** A table with a heading; the columns are as wide as their widest cell. */
export function table(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, string | number | undefined>>[],
): string {
  const cells = [
    columns.map((column) => column.toUpperCase()),
    ...rows.map((row) => columns.map((column) => String(row[column] ?? "-"))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join("  ")
      .trimEnd();
  return cells.map(line).join("\n");
}

/** A process and those it started. */
export interface TreeNode extends ProcessRow {
  readonly children: readonly TreeNode[];
}

/** The trees of one node's processes, by who started whom. */
export function buildTrees(rows: readonly ProcessRow[]): TreeNode[] {
  const pids = new Set(rows.map(({ pid }) => pid));
  const below = (parent: string): TreeNode[] =>
    rows
      .filter((row) => row.parent === parent)
      .map((row) => ({ ...row, children: below(row.pid) }));
  return rows
    .filter(({ parent }) => parent === undefined || !pids.has(parent))
    .map((row) => ({ ...row, children: below(row.pid) }));
}

/** Children shown below one process; the rest is counted. */
const childrenShownMax = 20;

export function treeText(trees: readonly TreeNode[], indent = ""): string {
  const shown = trees.slice(0, childrenShownMax);
  const lines = shown.flatMap((tree, index) => {
    const isLast = index === trees.length - 1;
    const own = `${indent}${isLast ? "└─ " : "├─ "}${describe(tree)}`;
    const below = treeText(tree.children, `${indent}${isLast ? "   " : "│  "}`);
    return below === "" ? [own] : [own, below];
  });
  if (trees.length > shown.length)
    lines.push(`${indent}└─ and ${trees.length - shown.length} more`);
  return lines.join("\n");
}

function describe({ name, pid, kind, restarts, details }: ProcessRow): string {
  const extras = Object.entries(details ?? {})
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${key} ${String(value)}`);
  if (restarts > 0) extras.push(`restarts ${restarts}`);
  const more = extras.length === 0 ? "" : `  (${extras.join(", ")})`;
  return `${name ?? pid}  ${kind}${more}`;
}
