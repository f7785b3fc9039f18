/**
 * A report for people to read in a terminal.
 *
 * @module
 */
import { rateOf, type Report } from "./report.ts";

export function reportText(report: Report): string {
  const { machine, faults, totals, failures, recovery, verdicts, violations } = report;
  const kinds = Map.groupBy(faults, ({ kind }) => kind);
  const perHour = (count: number): string =>
    Math.round(count / (report.durationMs / 3_600_000)).toLocaleString("en");
  const sections: readonly (readonly string[])[] = [
    [
      report.command,
      `seed ${report.seed}, commit ${report.commit}, ${report.startedAt}, ${seconds(report.durationMs)}`,
      `${machine.cores} cores, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, node ${machine.node}, ${machine.platform}`,
    ],
    [
      `Faults: ${faults.length} of ${kinds.size} kinds, ${perHour(faults.length)} an hour`,
      ...rows([...kinds].map(([kind, all]) => [kind, String(all.length)])),
      ...Object.entries(report.skipped).map(([kind, why]) => `  SKIPPED ${kind}: ${why}`),
    ],
    [
      "What happened",
      ...rows(Object.entries(totals).map(([what, count]) => [what, count.toLocaleString("en")])),
      ...rows(Object.entries(failures).map(([code, count]) => [`failed: ${code}`, String(count)])),
    ],
    [
      "Names of a node that was hit, served by another again after",
      ...rows([
        ["fault", "times", "p50", "p99", "longest"],
        ...recovery.map(({ kind, count, p50Ms, p99Ms, maxMs }) => [
          kind,
          String(count),
          ...[p50Ms, p99Ms, maxMs].map((ms) => `${Math.round(ms)} ms`),
        ]),
      ]),
    ],
    [
      "Promises (docs/guarantees.md)",
      ...rows(
        verdicts.map((verdict) => [
          verdict.promise,
          verdict.violations === 0 ? "kept" : "BROKEN",
          `${rateOf(verdict)} (${verdict.of})`,
        ]),
      ),
      ...violations.map((violation) => `  ${violation}`),
    ],
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000).toLocaleString("en")} s`;
}

/** Columns, as wide as they have to be. */
function rows(cells: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of cells)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return cells.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd(),
  );
}
