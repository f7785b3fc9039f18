import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type HistoryEvent,
  type Report,
  reportText,
  TimelineMeter,
  writeReport,
} from "@coppice/chaos";
import { expect, onTestFinished, test } from "vitest";

const history: readonly HistoryEvent[] = [
  { type: "call", atMs: 1_000, id: "1", caller: "p", name: "stack", number: 1 },
  { type: "execution", atMs: 1_001, id: "1", name: "stack", node: "a", pid: "a.1.1", epoch: 1 },
  { type: "outcome", atMs: 1_002, id: "1", outcome: "answer", epoch: 1 },
  { type: "fault", atMs: 1_500, untilMs: 3_500, kind: "freeze <hard>", targets: ["a"] },
  { type: "outcome", atMs: 2_400, id: "2", outcome: "maybe", code: "timeout" },
  { type: "outcome", atMs: 2_500, id: "3", outcome: "maybe", code: "cast" },
  { type: "execution", atMs: 2_900, id: "4", name: "stack", node: "b", pid: "b.1.1", epoch: 2 },
  { type: "execution", atMs: 4_000, id: "5", name: "stack", node: "b", pid: "b.1.1", epoch: 2 },
];

function reportOf(events: readonly HistoryEvent[]): Report {
  const meter = new TimelineMeter();
  for (const event of events) meter.take(event);
  return {
    command: "npm run chaos -- --seed 7",
    seed: 7,
    commit: "abc",
    machine: { cores: 2, memoryBytes: 24 * 2 ** 30, node: "v26.10.0", platform: "linux x64" },
    startedAt: "2026-01-01T00:00:00.000Z",
    durationMs: 120_000,
    faults: events.filter((event) => event.type === "fault"),
    skipped: { disk_full: "not root" },
    totals: { calls: 1_234_567 },
    failures: { "timeout (maybe)": 1 },
    recovery: [{ kind: "freeze", count: 3, p50Ms: 400.4, p99Ms: 812, maxMs: 900 }],
    gapReports: {
      aimMs: 1_000,
      took: { count: 12, p50Ms: 3.2, p99Ms: 480, maxMs: 512 },
      sinceSent: { count: 12, p50Ms: 2_100, p99Ms: 7_900, maxMs: 8_000 },
    },
    verdicts: [
      { promise: "C1", of: "calls", count: 1_000_000, violations: 0 },
      { promise: "N2", of: "answers", count: 900, violations: 2 },
      { promise: "T1", of: "jumps", count: 0, violations: 0 },
    ],
    violations: ["N2: p accepted an answer of epoch 1 after one of 2"],
    timeline: meter.result(),
  };
}

test("the timeline has who ran a name when, and the calls of each second", () => {
  const { timeline } = reportOf(history);
  expect(timeline).toEqual({
    durationMs: 3_000,
    tenures: [
      { name: "stack", node: "a", fromMs: 1, untilMs: 1 },
      { name: "stack", node: "b", fromMs: 1_900, untilMs: 3_000 },
    ],
    answered: [1],
    failed: [0, 1],
    faults: [{ kind: "freeze <hard>", targets: ["a"], fromMs: 500, untilMs: 2_500 }],
  });
});

test("the text says what was seen, and how sure a zero is", () => {
  const text = reportText(reportOf(history));
  expect(text).toContain("Faults: 1 of 1 kinds, 30 an hour");
  expect(text).toContain("SKIPPED disk_full: not root");
  expect(text).toMatch(/calls +1,234,567/);
  expect(text).toMatch(/freeze +3 +400 ms +812 ms +900 ms/);
  expect(text).toMatch(/its node could know +12 +3 ms +480 ms +512 ms +1000 ms/);
  expect(text).toMatch(/the loss, .* +12 +2100 ms +7900 ms +8000 ms/);
  expect(text).toMatch(/C1 +kept +0 of 1000000: < 0\.0000030 at 95 % \(calls\)/);
  expect(text).toMatch(/N2 +BROKEN +2 of 900 \(answers\)/);
  expect(text).toMatch(/T1 +kept +nothing was seen \(jumps\)/);
  expect(text).toContain("N2: p accepted an answer of epoch 1 after one of 2");
});

test("it is written as text, as JSON, and as a picture", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coppice-report-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const report = reportOf(history);
  const paths = await writeReport(join(folder, "new"), report);
  const [text, json, svg] = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  expect(text).toBe(reportText(report));
  expect(JSON.parse(json!)).toEqual(report);
  expect(svg).toContain("<title>freeze &lt;hard&gt; on a, 0.5 s to 2.5 s</title>");
  expect(svg).toContain("<title>stack on b, 1.9 s to 3.0 s</title>");
});
