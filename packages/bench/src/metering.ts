/**
 * What metering costs, how fairly guests share a thread, how soon a runaway is stopped, how many calls a thread takes.
 *
 * @module
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { componentize } from "componentize-qjs";
import {
  buildTextComponent,
  component,
  type ComponentSpec,
  type GuestLimits,
  startNode,
} from "coppice";
import { percentile } from "@coppice/testkit";
import { type Figure, ms, spread } from "./figures.ts";

/** The kernels, and how much each does in one call: a millisecond, which a busy machine often leaves in peace. */
const kernels: Readonly<Record<string, number>> = {
  fib: 28,
  sieve: 300_000,
  sha: 4_000,
  qsort: 20_000,
};
const jsonTimes = 5;
const repetitions = 300;
const loops = 100;
const neighbourCalls = 400;
const kills = 20;
const budgetMs = 100;
const callsInFlight = 64;
const threadCalls = 200_000;

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

type Node = Awaited<ReturnType<typeof startNode>>;

/** Where the guests of these measurements are. */
interface Guests {
  readonly plain: string;
  readonly json: string;
  readonly cacheDir: string;
}

export async function measureMetering(
  workspace: string,
  say: (line: string) => void,
): Promise<Figure[]> {
  const guests = await build(workspace);
  say("the cost of metering");
  const figures = await measureCost(guests);
  say("a neighbour beside infinite loops");
  figures.push(...(await measureFairness(guests)));
  figures.push(await measureKill(guests));
  say("calls on a scheduler thread");
  figures.push(...(await measureThread(guests)));
  return figures;
}

async function build(workspace: string): Promise<Guests> {
  const cacheDir = join(workspace, ".cache", "components");
  const folder = join(workspace, "packages/bench/kernels");
  const source = join(folder, "kernels.wat");
  const plain = await buildTextComponent({ source, cacheDir, logger });
  const { component: bytes } = await componentize({
    witPath: join(folder, "json.wit"),
    jsSource: await readFile(join(folder, "json.js"), "utf8"),
    stubWasi: true,
    sync: true,
  });
  const json = join(cacheDir, "bench", "json.wasm");
  await mkdir(join(cacheDir, "bench"), { recursive: true });
  await writeFile(json, bytes);
  return { plain, json, cacheDir };
}

async function start(specs: readonly ComponentSpec[], componentThreads = 0): Promise<Node> {
  const node = await startNode({ name: "bench", logger, componentThreads });
  const children = specs.map((spec) => component(spec));
  await node.start({ strategy: "one_for_one", maxRestarts: kills + loops, children });
  return node;
}

function guest(
  { plain, cacheDir }: Guests,
  id: string,
  changes: Partial<ComponentSpec> = {},
): ComponentSpec {
  return { id, name: id, path: plain, cacheDir, ...changes };
}

/** Each kernel with and without metering, in turns, the best of each: on a busy machine the others say little. */
async function measureCost(guests: Guests): Promise<Figure[]> {
  const patient: GuestLimits = { cpuMsPerCall: 600_000 };
  const both = (id: string, path: string): ComponentSpec[] => [
    guest(guests, `${id} metered`, { path, limits: patient }),
    guest(guests, `${id} plain`, { path, metering: false }),
  ];
  await using node = await start([...both("kernels", guests.plain), ...both("json", guests.json)]);
  const ratios: number[] = [];
  const figures: Figure[] = [];
  for (const [kernel, size] of [...Object.entries(kernels), ["json", jsonTimes] as const]) {
    const name = kernel === "json" ? "json" : "kernels";
    const best = { metered: Infinity, plain: Infinity };
    for (let round = 0; round < repetitions; round += 1)
      for (const form of ["metered", "plain"] as const) {
        const fromMs = performance.now();
        await node.call(`${name} ${form}`, kernel, [size], { timeoutMs: 600_000 });
        best[form] = Math.min(best[form], performance.now() - fromMs);
      }
    const ratio = best.metered / best.plain;
    ratios.push(ratio);
    figures.push({
      what: `metering cost: ${kernel === "json" ? "JSON in QuickJS" : kernel}`,
      value: `${ratio.toFixed(2)}x (${ms(best.plain)} plain, ${ms(best.metered)} metered, best of ${repetitions})`,
    });
  }
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  figures.push({
    what: "metering cost: geometric mean",
    value: `${mean.toFixed(2)}x`,
    aim: "at most 1.25x",
  });
  return figures;
}

async function measureFairness(guests: Guests): Promise<Figure[]> {
  const patient: GuestLimits = { cpuMsPerCall: 600_000 };
  const names = Array.from({ length: loops }, (_, index) => `loop ${index}`);
  await using node = await start([
    guest(guests, "neighbour"),
    ...names.map((name) => guest(guests, name, { limits: patient })),
  ]);
  const alone = await neighbour(node);
  for (const name of names) node.cast(name, "spin", [0]);
  const beside = await neighbour(node);
  return [
    { what: "a call, alone on its scheduler", value: spread(alone) },
    {
      what: `a call beside ${loops} infinite loops`,
      value: spread(beside),
      aim: "p99 at most 20 ms",
    },
  ];
}

/** Calls that come as they do from a network: each in a turn of the event loop of its own. */
async function neighbour(node: Node): Promise<number[]> {
  const samples: number[] = [];
  for (let call = 0; call < neighbourCalls; call += 1) {
    await new Promise((resolve) => void setTimeout(resolve, 1));
    const fromMs = performance.now();
    await node.call("neighbour", "add", [call]);
    samples.push(performance.now() - fromMs);
  }
  return samples;
}

async function measureKill(guests: Guests): Promise<Figure> {
  await using node = await start([guest(guests, "loops", { limits: { cpuMsPerCall: budgetMs } })]);
  const late: number[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    await node.call("loops", "add", [1]);
    const fromMs = performance.now();
    await node.call("loops", "spin", [0]).catch(() => {});
    late.push(performance.now() - fromMs - budgetMs);
  }
  return {
    what: `an infinite loop is stopped, after its budget of ${budgetMs} ms`,
    value: `p50 ${ms(percentile(late, 0.5))}, p99 ${ms(percentile(late, 0.99))} (n ${kills})`,
    aim: "at most 100 ms",
  };
}

async function measureThread(guests: Guests): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const processes of [1, 8]) {
    const names = Array.from({ length: processes }, (_, index) => `adds ${index}`);
    await using node = await start(
      names.map((name) => guest(guests, name)),
      1,
    );
    let best = 0;
    for (let round = 0; round < 5; round += 1) best = Math.max(best, await callRate(node, names));
    figures.push({
      what: `calls on one scheduler thread, ${callsInFlight} in flight to ${processes} process${processes === 1 ? "" : "es"}`,
      value: `${Math.round(best).toLocaleString("en")} a second (best of 5)`,
      aim: "at least 150,000",
    });
  }
  return figures;
}

async function callRate(node: Node, names: readonly string[]): Promise<number> {
  let left = threadCalls;
  const fromMs = performance.now();
  const client = async (_: unknown, index: number): Promise<void> => {
    const ref = node.ref(names[index % names.length]!);
    while (left > 0) {
      left -= 1;
      await ref.call("add", [left]);
    }
  };
  await Promise.all(Array.from({ length: callsInFlight }, client));
  return (threadCalls / (performance.now() - fromMs)) * 1_000;
}
