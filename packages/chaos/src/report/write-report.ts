/**
 * Writes a report into a folder, for people, for programs, and as a picture.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "./report.ts";
import { reportText } from "./report-text.ts";
import { timelineSvg } from "./timeline-svg.ts";

/** Writes `report.txt`, `report.json` and `timeline.svg`; what was there is replaced. Returns their paths. */
export async function writeReport(folder: string, report: Report): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const title = `Chaos, seed ${report.seed}: ${report.faults.length} faults in ${Math.round(report.durationMs / 1_000)} s`;
  const files: readonly (readonly [name: string, content: string])[] = [
    ["report.txt", reportText(report)],
    ["report.json", `${JSON.stringify(report, null, 2)}\n`],
    ["timeline.svg", timelineSvg(report.timeline, title)],
  ];
  for (const [name, content] of files) await writeFile(join(folder, name), content);
  return files.map(([name]) => join(folder, name));
}
