/**
 * What a caller on another node sees: calls to a name, and the same name after its node was killed.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { CallError, type ClusterNode, startNode } from "coppice";
import { percentile } from "@coppice/testkit";
import { type DemoRun, runDemo } from "./demo-run.ts";
import { type Figure, spread } from "./figures.ts";

const kills = 20;
const calls = 2_000;
const warmUpCalls = 500;
const failoverAimMs = 1_000;

export async function measureCluster(
  workspace: string,
  say: (line: string) => void,
): Promise<Figure[]> {
  const main = join(workspace, "packages/cli/src/demo/main.ts");
  const demo = await runDemo([process.execPath, main], workspace);
  try {
    const port = /JetStream on port (\d+)/.exec(demo.steps.map(({ text }) => text).join("\n"))![1]!;
    const servers = [`nats://127.0.0.1:${port}`];
    await using node = await startNode({ name: "bench", cluster: "demo", servers, logger: silent });
    const latency = await measureCalls(node);
    const samples = await measureFailover(node, demo, workspace, say);
    const p99 = percentile(samples, 0.99);
    return [
      ...latency,
      {
        what: "failover: SIGKILL to first answer",
        value: spread(samples),
        aim: `p99 <= ${failoverAimMs} ms, ${p99 <= failoverAimMs ? "met" : "missed"}`,
      },
    ];
  } finally {
    await demo.stop();
  }
}

async function measureCalls(node: ClusterNode): Promise<Figure[]> {
  const stack = await time(() => node.call("stack", "push", ["x"]));
  const room = await time(() => node.call("chat-room", "message-added", ["x", ["y"]]));
  return [
    { what: "call from another node: a gen-server", value: spread(stack) },
    { what: "call from another node: the component", value: spread(room) },
  ];
}

async function time(call: () => Promise<unknown>): Promise<number[]> {
  for (let count = 0; count < warmUpCalls; count += 1) await call();
  const samples: number[] = [];
  for (let count = 0; count < calls; count += 1) {
    const fromMs = performance.now();
    await call();
    samples.push(performance.now() - fromMs);
  }
  return samples;
}

async function measureFailover(
  node: ClusterNode,
  demo: DemoRun,
  workspace: string,
  say: (line: string) => void,
): Promise<number[]> {
  const samples: number[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    const owner = node.names().find(({ name }) => name === "chat-room")!.owner.node;
    const osPid = await osPidOf(owner, workspace);
    process.kill(osPid, "SIGKILL");
    const fromMs = performance.now();
    await firstAnswer(node, owner);
    samples.push(performance.now() - fromMs);
    say(`kill ${kill} of ${kills}: node ${owner}, ${Math.round(samples.at(-1)!)} ms`);
    const back = demo.line(new RegExp(`node ${owner} is back`));
    demo.process.kill("SIGUSR2");
    await back;
  }
  return samples;
}

/** Not with a blocking call: this process is a node of the cluster, and must go on beating. */
async function osPidOf(name: string, workspace: string): Promise<number> {
  const main = join(workspace, "packages/cli/src/main.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [main, "nodes", "-o", "json"]);
  const rows = JSON.parse(stdout) as { readonly name: string; readonly osPid: number }[];
  return rows.find((row) => row.name === name)!.osPid;
}

/** Asks until somebody answers: a call that was on its way to the killed node fails, as it must. */
async function firstAnswer(node: ClusterNode, killed: string): Promise<void> {
  while (true) {
    try {
      await node.call("chat-room", "init", []);
      if (node.whereis("chat-room")?.node !== killed) return;
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
    }
  }
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
