/**
 * A program for the benchmarks: starts so many components, and prints how many bytes each of them takes.
 *
 * @module
 */
import { component, startNode } from "coppice";

const [path = "", cacheDir = "", countText = "1"] = process.argv.slice(2);
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const collect = (globalThis as { readonly gc?: () => void }).gc!;

function residentBytes(): number {
  for (let round = 0; round < 3; round += 1) collect();
  return process.memoryUsage.rss();
}

const node = await startNode({ name: "live", logger, componentThreads: 0 });
const imports = { number: () => 7, "publish-message": (message: string) => message };

/** Starts some under a supervisor of their own. */
async function start(from: number, count: number): Promise<void> {
  const children = Array.from({ length: count }, (_, index) =>
    component({ id: `c${from + index}`, path, cacheDir, imports }),
  );
  await node.start({ strategy: "one_for_one", children });
}

const count = Number(countText);
await start(0, Math.ceil(count / 10)); // What is needed once is not counted.
const before = residentBytes();
await start(count, count);
process.stdout.write(`${(residentBytes() - before) / count}\n`);
process.exit(0);
