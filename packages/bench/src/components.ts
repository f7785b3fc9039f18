/**
 * Components beside jco alone, on the same component in the same run: calls, calls that wait for the host, restarts, and
 * how many instances fit.
 *
 * A call here is a call of a process: through the kernel, its mailbox, and the checks of arguments and results.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import {
  buildJsComponent,
  CallError,
  type ClusterNode,
  component,
  type ComponentSpec,
  startNode,
} from "coppice";
import { percentile } from "@coppice/testkit";
import { type Figure, spread } from "./figures.ts";

const run = promisify(execFile);
const rounds = 100;
const callsPerRound = 1_000;
const traps = 200;
const liveTiny = 500;
const liveStarlingMonkey = 300;
const memoryGiB = 4;
/** A thread takes no more: every WebAssembly memory reserves 8 GiB of address space, and V8 refuses more than 16,224. */
const memoriesMax = 15_000;

const aims = {
  scalarRatio: 1.5,
  suspendingRatio: 1.3,
  restartMs: 1,
  restartStarlingMonkeyMs: 15,
  tiny: 15_000,
  starlingMonkey: 1_000,
};
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const imports = { number: async () => 7 };

interface BareTiny {
  readonly add: (a: number, b: number) => unknown;
  readonly ask: () => unknown;
}

export async function measureComponents(workspace: string): Promise<Figure[]> {
  const folder = join(workspace, ".cache", "bench-tiny");
  const program = join(workspace, "packages/component/test/components/bare-jco.ts");
  await run(process.execPath, [program, folder], { cwd: workspace });
  const cacheDir = join(workspace, ".cache", "components");
  const tiny = { path: join(folder, "tiny.wasm"), cacheDir, imports };
  const room = await chatRoom(workspace, cacheDir);
  // On the node's own thread, as jco alone is.
  await using node = await startNode({ name: "bench", logger, componentThreads: 0 });
  return [
    ...(await measureCalls(node, folder, tiny)),
    await measureRestarts(node, {
      what: "tiny",
      spec: tiny,
      crash: ["crash", []],
      next: ["add", [1, 2]],
      aimMs: aims.restartMs,
    }),
    await measureRestarts(node, {
      what: "StarlingMonkey (12 MB)",
      spec: room,
      crash: ["add-message", ["WAT"]],
      next: ["init", []],
      aimMs: aims.restartStarlingMonkeyMs,
    }),
    machinePauses(),
    await measureLive({ what: "tiny", count: liveTiny, aim: aims.tiny, spec: tiny }),
    await measureLive({
      what: "StarlingMonkey (12 MB)",
      count: liveStarlingMonkey,
      aim: aims.starlingMonkey,
      spec: room,
    }),
  ];
}

type TinySpec = Pick<ComponentSpec, "cacheDir" | "imports"> & { readonly path: string };

async function measureCalls(node: ClusterNode, folder: string, tiny: TinySpec): Promise<Figure[]> {
  await node.start({
    strategy: "one_for_one",
    children: [component({ id: "calls", name: "calls", ...tiny })],
  });
  const pid = node.whereis("calls")!;
  const bareSync = await bare(folder, "sync", () => 7);
  const bareJspi = await bare(folder, "jspi", async () => 7);
  const call = (method: string, args: unknown[]) => () => node.kernel.call(pid, method, args);
  const [ours, sync, jspi, oursAsk, bareAsk] = await fastest([
    call("add", [1, 2]),
    () => bareSync.add(1, 2),
    () => bareJspi.add(1, 2),
    call("ask", []),
    () => bareJspi.ask(),
  ]);
  return [
    compared(
      "component call, scalar function",
      ours!,
      "jco alone, suspending",
      jspi!,
      aims.scalarRatio,
    ),
    compared(
      "component call, scalar function",
      ours!,
      "jco alone, not suspending",
      sync!,
      aims.scalarRatio,
    ),
    compared(
      "component call that waits for the host",
      oursAsk!,
      "jco alone",
      bareAsk!,
      aims.suspendingRatio,
    ),
  ];
}

async function bare(folder: string, mode: string, number: () => unknown): Promise<BareTiny> {
  const url = pathToFileURL(join(folder, mode, "tiny.js")).href;
  const emitted = (await import(url)) as {
    readonly instantiate: (
      module: (name: string) => Promise<unknown>,
      imports: object,
    ) => Promise<BareTiny>;
  };
  const module = async (name: string): Promise<unknown> =>
    WebAssembly.compile(await readFile(join(folder, mode, name)));
  return emitted.instantiate(module, { number: { default: number } });
}

/** Microseconds a call of each of these: the best of several rounds, taken in turn so that a busy machine hits all. */
async function fastest(calls: readonly (() => unknown)[]): Promise<number[]> {
  const best = calls.map(() => Infinity);
  for (let round = 0; round < rounds; round += 1)
    for (const [index, call] of calls.entries()) {
      await turn(); // Nothing else runs between calls that never wait: the node's heartbeats need their turn.
      const fromMs = performance.now();
      for (let count = 0; count < callsPerRound; count += 1) await call();
      const us = ((performance.now() - fromMs) * 1_000) / callsPerRound;
      best[index] = Math.min(best[index]!, us);
    }
  return best;
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function compared(what: string, us: number, other: string, otherUs: number, aim: number): Figure {
  const ratio = us / otherUs;
  return {
    what: `${what}, beside ${other}`,
    value: `${us.toFixed(2)} µs and ${otherUs.toFixed(2)} µs: ${ratio.toFixed(2)} times`,
    aim: `<= ${aim} times, ${ratio <= aim ? "met" : "missed"}`,
  };
}

interface Restarts {
  readonly what: string;
  readonly spec: TinySpec;
  /** The call that traps, and the one that is answered afterwards. */
  readonly crash: readonly [string, unknown[]];
  readonly next: readonly [string, unknown[]];
  readonly aimMs: number;
}

async function measureRestarts(
  node: ClusterNode,
  { what, spec, crash, next, aimMs }: Restarts,
): Promise<Figure> {
  const name = `restarts-${crash[0]}`;
  const child = component({ id: name, name, ...spec });
  await node.start({ strategy: "one_for_one", maxRestarts: traps * 2, children: [child] });
  const samples: number[] = [];
  for (let trap = 0; trap < traps; trap += 1) {
    const fromMs = performance.now();
    await node.call(name, ...crash).catch(() => {});
    await answered(() => node.call(name, ...next));
    samples.push(performance.now() - fromMs);
  }
  const p99 = percentile(samples, 0.99);
  return {
    what: `component restart, ${what}: trap to next answer`,
    value: spread(samples),
    aim: `p99 <= ${aimMs} ms, ${p99 <= aimMs ? "met" : "missed"}`,
  };
}

/** A name that crashes all the time may be free for a moment: who asks then asks again, and the time counts. */
async function answered(call: () => Promise<unknown>): Promise<void> {
  while (true) {
    try {
      await call();
      return;
    } catch (thrown) {
      if (!(thrown instanceof CallError) || thrown.code !== "noproc") throw thrown;
      await turn();
    }
  }
}

/** How long half a millisecond takes on this machine, beside whatever else runs on it: the noise in the lines above. */
function machinePauses(): Figure {
  const samples: number[] = [];
  for (let count = 0; count < traps; count += 1) {
    const fromMs = performance.now();
    let nowMs = fromMs;
    while (nowMs - fromMs < 0.5) nowMs = performance.now();
    samples.push(nowMs - fromMs);
  }
  return { what: "this machine: 0.5 ms of reading the clock", value: spread(samples) };
}

interface Live {
  readonly what: string;
  readonly count: number;
  readonly aim: number;
  readonly spec: TinySpec;
}

/** Starts some in a process of their own, and says how many would fit. */
async function measureLive({ what, count, aim, spec }: Live): Promise<Figure> {
  const program = fileURLToPath(new URL("live-components-run.ts", import.meta.url));
  const args = ["--expose-gc", program, spec.path, spec.cacheDir, String(count)];
  const each = Number((await run(process.execPath, args)).stdout);
  const fit = Math.min(Math.floor((memoryGiB * 2 ** 30) / each), memoriesMax);
  return {
    what: `live components in ${memoryGiB} GiB: ${what}`,
    value: `${fit}, from ${count} that take ${Math.round(each / 1024)} KiB each`,
    aim: `>= ${aim}, ${fit >= aim ? "met" : "missed"}`,
  };
}

async function chatRoom(workspace: string, cacheDir: string): Promise<TinySpec> {
  const path = await buildJsComponent({
    source: join(workspace, "packages/chat/guest/chat-room.js"),
    wit: join(workspace, "wit/chat-room.wit"),
    world: "chat-room",
    cacheDir,
    logger,
  });
  return { path, cacheDir, imports: { "publish-message": (message: string) => message } };
}
