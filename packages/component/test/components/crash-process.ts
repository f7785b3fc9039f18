/**
 * A program that crashes the same component thousands of times, and sends how its memory grew: for a test.
 *
 * @module
 */
import { instantiate, TrapError } from "@coppice/component";
import { compileFixture } from "./fixtures.ts";

const [how = "", times = ""] = process.argv.slice(2);
const rejects = how === "import";
const collect = (globalThis as { readonly gc?: () => void }).gc!;
const hazards = await compileFixture("hazards", { memoryBytes: 4 << 20 });
const imports = {
  number: () => (rejects ? Promise.reject(new Error("no")) : 1),
  nothing: () => {},
  answer: () => 1,
  "test:hazards/ticks": { now: () => 5n, wait: () => {} },
};

async function crash(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    const instance = await instantiate(hazards, { imports, onOutput: () => {} });
    const call = rejects ? instance.call("ask", []) : instance.call("divide", [0]);
    const outcome = await call.catch((thrown: unknown) => thrown);
    if (!(outcome instanceof TrapError)) throw new Error(`no crash: ${String(outcome)}`);
  }
}

/** The least memory of a few looks, so that what the collector has not come to does not count. */
async function leastBytes(): Promise<{ readonly rss: number; readonly heap: number }> {
  const looks: { rss: number; heap: number }[] = [];
  for (let look = 0; look < 5; look += 1) {
    await crash(300);
    for (let round = 0; round < 3; round += 1) collect();
    const { rss, heapUsed } = process.memoryUsage();
    looks.push({ rss, heap: heapUsed });
  }
  const least = (of: "rss" | "heap"): number => Math.min(...looks.map((look) => look[of]));
  return { rss: least("rss"), heap: least("heap") };
}

await crash(1500);
const before = await leastBytes();
await crash(Number(times));
const after = await leastBytes();
const growth = { rss: after.rss / before.rss, heap: after.heap / before.heap };
process.send?.(growth, () => process.disconnect?.());
