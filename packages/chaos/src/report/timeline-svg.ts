/**
 * A picture of a run: faults, the owners of names, and calls, one above the other on one axis of time.
 *
 * @module
 */
import type { Tenure, Timeline } from "./timeline.ts";

const left = 150;
const right = 24;
const plotWidth = 1_200;
const rowHeight = 18;
const gap = 34;
const callsHeight = 120;
const legendHeight = 26;
/** More than this many names are not drawn: the picture says how many are missing. */
const namesMax = 40;

/** Told apart by people who see no red or green too. */
const colours = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb"];
const [answeredColour, failedColour, faultColour] = ["#228833", "#cc3311", "#ee7733"];

export function timelineSvg(timeline: Timeline, title: string): string {
  const { durationMs, faults } = timeline;
  const scale = plotWidth / Math.max(1, durationMs);
  const at = (ms: number): number => round(left + ms * scale);
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort();
  const names = [...new Set(timeline.tenures.map(({ name }) => name))].sort(byNumber);
  const shown = names.slice(0, namesMax);
  const nodes = [...new Set(timeline.tenures.map(({ node }) => node))].sort();
  const colourOf = (node: string): string => colours[nodes.indexOf(node) % colours.length]!;

  const faultsTop = 64;
  const ownersTop = faultsTop + kinds.length * rowHeight + gap;
  const callsTop = ownersTop + legendHeight + shown.length * rowHeight + gap;
  const axisTop = callsTop + callsHeight;
  const height = axisTop + 48;
  const more = names.length - shown.length;
  const parts = [
    text(16, 28, title, `class="title"`),
    ...axis(durationMs, { at, from: faultsTop - 6, to: axisTop }),
    heading(faultsTop, "Faults"),
    ...kinds.flatMap((kind, row) => [
      label(faultsTop + row * rowHeight, kind),
      ...faults
        .filter((fault) => fault.kind === kind)
        .map(({ fromMs, untilMs, targets }) =>
          bar(
            { x: at(fromMs), y: faultsTop + row * rowHeight, width: (untilMs - fromMs) * scale },
            faultColour,
            `${kind} on ${targets.join(", ")}, ${seconds(fromMs)} to ${seconds(untilMs)}`,
          ),
        ),
    ]),
    heading(ownersTop, more > 0 ? `Owners (${more} more names)` : "Owners"),
    ...nodes.map((node, index) => {
      const x = left + index * 90;
      return `<rect x="${x}" y="${ownersTop}" width="12" height="12" fill="${colourOf(node)}"/>${text(x + 18, ownersTop + 10, node)}`;
    }),
    ...shown.flatMap((name, row) => {
      const y = ownersTop + legendHeight + row * rowHeight;
      const own = timeline.tenures.filter((tenure) => tenure.name === name);
      return [label(y, name), ...own.map((tenure) => tenureBar(tenure, y))];
    }),
    heading(callsTop, "Calls a second"),
    ...callBars(timeline, callsTop, at, scale),
  ];

  function tenureBar({ name, node, fromMs, untilMs }: Tenure, y: number): string {
    const width = (untilMs - fromMs) * scale;
    const said = `${name} on ${node}, ${seconds(fromMs)} to ${seconds(untilMs)}`;
    return bar({ x: at(fromMs), y, width }, colourOf(node), said);
  }

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + plotWidth + right} ${height}" role="img">
<style>
svg { background: #fcfcfa; font: 12px system-ui, sans-serif; }
text { fill: #333; }
.title { font-size: 16px; font-weight: 600; }
.heading { font-weight: 600; }
.label { text-anchor: end; fill: #555; }
.grid { stroke: #ddd; }
.tick { text-anchor: middle; fill: #555; }
@media (prefers-color-scheme: dark) {
  svg { background: #1c1c1e; }
  text { fill: #ddd; }
  .label, .tick { fill: #aaa; }
  .grid { stroke: #3a3a3c; }
}
</style>
${parts.join("\n")}
</svg>
`;
}

function callBars(
  { answered, failed }: Timeline,
  top: number,
  at: (ms: number) => number,
  scale: number,
): string[] {
  const count = Math.max(answered.length, failed.length);
  // No bar is narrower than a pixel: several seconds share one in a long run.
  const perBar = Math.max(1, Math.ceil(1 / (1_000 * scale)));
  const sums = (counts: readonly number[], from: number): number =>
    counts.slice(from, from + perBar).reduce((sum, each) => sum + each, 0) / perBar;
  const starts = Array.from({ length: Math.ceil(count / perBar) }, (_, index) => index * perBar);
  const highest = Math.max(1, ...starts.map((from) => sums(answered, from) + sums(failed, from)));
  const width = round(Math.max(0.5, perBar * 1_000 * scale - 0.2));
  const bottom = top + callsHeight;
  const bars = starts.flatMap((from) => {
    const x = at(from * 1_000);
    const [good, bad] = [sums(answered, from), sums(failed, from)].map((rate) =>
      round((rate / highest) * (callsHeight - 8)),
    ) as [number, number];
    return [
      `<rect x="${x}" y="${round(bottom - good)}" width="${width}" height="${good}" fill="${answeredColour}"/>`,
      // At least two pixels: one failed call among thousands is to be seen.
      bad > 0
        ? `<rect x="${x}" y="${round(bottom - good - Math.max(2, bad))}" width="${Math.max(1, width)}" height="${Math.max(2, bad)}" fill="${failedColour}"/>`
        : "",
    ];
  });
  return [
    ...bars.filter((each) => each !== ""),
    label(top, `${Math.round(highest).toLocaleString("en")}/s`),
    `<rect x="${left}" y="${top - 16}" width="12" height="12" fill="${answeredColour}"/>${text(left + 18, top - 6, "answered")}`,
    `<rect x="${left + 90}" y="${top - 16}" width="12" height="12" fill="${failedColour}"/>${text(left + 108, top - 6, "failed")}`,
  ];
}

/** Steps between two ticks, in seconds. */
const steps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

function axis(
  durationMs: number,
  plot: { readonly at: (ms: number) => number; readonly from: number; readonly to: number },
): string[] {
  const step = steps.find((each) => durationMs / 1_000 / each <= 12) ?? steps.at(-1)!;
  const ticks = Array.from(
    { length: Math.floor(durationMs / 1_000 / step) + 1 },
    (_, index) => index * step,
  );
  return ticks.map((second) => {
    const x = plot.at(second * 1_000);
    return `<line class="grid" x1="${x}" y1="${plot.from}" x2="${x}" y2="${plot.to}"/>${text(x, plot.to + 18, clockTime(second), `class="tick"`)}`;
  });
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function bar({ x, y, width }: Place, fill: string, said: string): string {
  return `<rect x="${x}" y="${y + 2}" width="${Math.max(2, round(width))}" height="${rowHeight - 5}" rx="1.5" fill="${fill}"><title>${escaped(said)}</title></rect>`;
}

function heading(y: number, value: string): string {
  return text(16, y - 10, value, `class="heading"`);
}

function label(y: number, value: string): string {
  return text(left - 8, y + 12, value, `class="label"`);
}

function text(x: number, y: number, value: string, attributes = ""): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(value)}</text>`;
}

function escaped(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function clockTime(second: number): string {
  const [minutes, rest] = [Math.floor(second / 60), second % 60];
  return minutes === 0 ? `${rest} s` : `${minutes}:${String(rest).padStart(2, "0")}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
