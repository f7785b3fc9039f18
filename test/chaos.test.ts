import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "@coppice/chaos";
import { afterAll, beforeAll, expect, test } from "vitest";

const program = fileURLToPath(new URL("../packages/chaos/src/real/main.ts", import.meta.url));
/** Those that need nothing but this project; the others are in `npm run chaos`. */
const kinds = [
  "kill",
  "freeze",
  "drain",
  "cut",
  "deaf",
  "mute",
  "bit_flips",
  "nats_kill",
  "process_kill",
  "component_trap",
  "component_loop",
  "poison",
];
const seed = process.env["CHAOS_SEED"] ?? "1";
const runMsMax = 360_000;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-chaos-report-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs it as a user does. */
function chaos(
  ...args: string[]
): Promise<{ readonly status: number | null; readonly said: string }> {
  const child = spawn(process.execPath, [program, ...args, "--report", folder]);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => {
      said += data.toString();
    });
  return new Promise((resolve) => child.once("exit", (status) => resolve({ status, said })));
}

test(
  `every promise is kept by real processes under ${kinds.length} kinds of fault (seed ${seed})`,
  async () => {
    const run = ["--seed", seed, "--minutes", "5", "--rounds", "1", "--faults", kinds.join(",")];
    const { status, said } = await chaos(...run);
    expect(status, said).toBe(0);
    const report = JSON.parse(await readFile(join(folder, "report.json"), "utf8")) as Report;
    expect(report.faults.map(({ kind }) => kind).toSorted()).toEqual(kinds.toSorted());
    expect(report.violations).toEqual([]);
    for (const { promise, violations } of report.verdicts)
      expect({ promise, violations }).toEqual({ promise, violations: 0 });
    const { totals } = report;
    expect(totals).toMatchObject({ guestWrongAnswers: 0, guestMisdeeds: 2 });
    for (const what of ["calls", "answered", "executions", "deliveries", "downs"])
      expect(totals[what], what).toBeGreaterThan(500);
    expect(report.gapReports.took.count).toBeGreaterThan(0);
    expect(totals["abandoned"]! + totals["failedMaybe"]!).toBeGreaterThan(0);
    expect(said).toContain(`seed ${seed}; again: npm run chaos --`);
  },
  runMsMax,
);

test("an unknown fault is refused, with those that there are", async () => {
  const { status, said } = await chaos("--faults", "kill,locusts");
  expect(status).toBe(2);
  expect(said).toMatch(/there is no fault locusts; there are: kill, .*freeze/);
});
