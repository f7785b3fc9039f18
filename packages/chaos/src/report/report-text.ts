/**
 * A report for people to read in a terminal.
 *
 * @module
 */
import { rateOf, type Report, type Spread } from "./report.ts";

export function reportText(report: Report): string {
  const { machine, faults, totals, failures, recovery, verdicts, violations } = report;
  const { aimMs, took, sinceSent } = report.gapReports;
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
        ["fault", ...spreadHead],
        ...recovery.map((figures) => [figures.kind, ...spreadCells(figures)]),
      ]),
    ],
    [
      "Gaps in topics, reported to a subscriber after",
      ...rows([
        ["", ...spreadHead, "aim"],
        ["its node could know", ...spreadCells(took), `${aimMs} ms`],
        ["the loss, with the time cut off", ...spreadCells(sinceSent)],
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

const spreadHead = ["times", "p50", "p99", "longest"] as const;

function spreadCells({ count, p50Ms, p99Ms, maxMs }: Spread): string[] {
  const times = count === 0 ? [] : [p50Ms, p99Ms, maxMs].map((ms) => `${Math.round(ms)} ms`);
  return [String(count), ...times];
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
