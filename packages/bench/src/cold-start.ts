/**
 * A fresh clone to a demo that is ready, split by step: installs, component build and start from nothing.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runDemo, type Step } from "./demo-run.ts";
import { type Figure, ms } from "./figures.ts";

/** The commit of this workspace is cloned: what is not committed is not measured. */
export async function measureColdStart(workspace: string): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-bench-"));
  try {
    execFileSync("git", ["clone", "--quiet", workspace, folder]);
    // Caches of their own, empty: nothing this machine has downloaded before helps.
    const caches = join(folder, ".cold");
    const env = { npm_config_cache: caches, XDG_DATA_HOME: caches, XDG_CACHE_HOME: caches };
    const demo = await runDemo(["npm", "run", "--silent", "demo"], folder, env);
    await demo.stop();
    return figuresOf(demo.steps, demo.readyMs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const stepNames: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/starting .*nats-server/, "install the toolchain and the packages"],
  [/building the component/, "start nats-server"],
  [/starting the nodes/, "build the component"],
];

function figuresOf(steps: readonly Step[], readyMs: number): Figure[] {
  const figures: Figure[] = [];
  let fromMs = 0;
  for (const [pattern, name] of stepNames) {
    const step = steps.find(({ text }) => pattern.test(text));
    if (step === undefined) continue;
    figures.push({ what: `cold demo: ${name}`, value: ms(step.atMs - fromMs) });
    fromMs = step.atMs;
  }
  figures.push({ what: "cold demo: start three nodes", value: ms(readyMs - fromMs) });
  figures.push({ what: "cold demo: all, to ready", value: ms(readyMs) });
  return figures;
}
