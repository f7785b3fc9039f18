/**
 * Processes, beside Erlang/OTP doing the same work on the same machine in the same run.
 *
 * The two take turns, so that what else the machine does hits both; the best round of each counts.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compileErlang, ensureErlang } from "./erlang.ts";
import type { Figure } from "./figures.ts";

const run = promisify(execFile);
const source = fileURLToPath(new URL("../erlang/processes.erl", import.meta.url));
const turns = 3;

type Results = Map<string, number>;

/** What is compared: more is better, except where `lessIsBetter`. */
interface Comparison {
  readonly name: string;
  readonly what: string;
  /** How many times Erlang's figure ours should be. */
  readonly ratioAim?: number;
  readonly lessIsBetter?: { readonly aim: number; readonly unit: string };
}

const comparisons: readonly Comparison[] = [
  { name: "call_one_client", what: "gen-server call, 1 client", ratioAim: 3 },
  { name: "call_64_clients", what: "gen-server call, 64 clients" },
  { name: "cast", what: "gen-server cast", ratioAim: 2 },
  { name: "send", what: "message send and receive", ratioAim: 2 },
  { name: "spawn_exit", what: "spawn and exit", ratioAim: 2 },
  { name: "start_stop_down", what: "gen-server start, stop, DOWN", ratioAim: 2 },
  {
    name: "restart_us",
    what: "supervisor: kill to the next process, median",
    lessIsBetter: { aim: 20, unit: "µs" },
  },
  {
    name: "idle_bytes",
    what: "memory of an idle process, 1,000,000 alive",
    lessIsBetter: { aim: 600, unit: "bytes" },
  },
];

/** `say` tells what is going on. Without Erlang on the machine only our own figures are given. */
export async function measureProcesses(say: (line: string) => void): Promise<Figure[]> {
  const compiled = ensureErlang(say) ? await compileErlang(source) : undefined;
  const ours: Results = new Map();
  const erlang: Results = new Map();
  for (let turn = 1; turn <= turns; turn += 1) {
    say(`processes: turn ${turn} of ${turns}`);
    keepBest(ours, await runOurs());
    if (compiled !== undefined) keepBest(erlang, await runErlang(compiled));
  }
  if (compiled !== undefined) await rm(compiled, { recursive: true });
  return [...comparisons.map((each) => figure(each, ours, erlang)), ...ownFigures(ours)];
}

async function runOurs(): Promise<Results> {
  const program = new URL("processes-run.ts", import.meta.url).pathname;
  const { stdout } = await run(process.execPath, ["--expose-gc", program]);
  return parse(stdout);
}

async function runErlang(compiled: string): Promise<Results> {
  const args = ["+P", "3000000", "-noshell", "-pa", compiled, "-s", "processes", "main"];
  const { stdout } = await run("erl", args);
  return parse(stdout);
}

function parse(lines: string): Results {
  const results: Results = new Map();
  for (const line of lines.trim().split("\n")) {
    const [name = "", value = ""] = line.split(" ");
    results.set(name, Number(value));
  }
  return results;
}

function keepBest(best: Results, results: Results): void {
  for (const [name, value] of results) {
    const known = best.get(name);
    const isLess = /_(?:us|ns|bytes)$/.test(name);
    if (known === undefined || (isLess ? value < known : value > known)) best.set(name, value);
  }
}

function figure(
  { name, what, ratioAim, lessIsBetter }: Comparison,
  ours: Results,
  erlang: Results,
): Figure {
  const [own, other] = [ours.get(name)!, erlang.get(name)];
  if (lessIsBetter !== undefined) {
    const { aim, unit } = lessIsBetter;
    const beside = other === undefined ? "" : ` (Erlang ${other.toFixed(1)})`;
    return {
      what,
      value: `${own.toFixed(1)} ${unit}${beside}`,
      aim: `<= ${aim} ${unit}, ${own <= aim ? "met" : "missed"}`,
    };
  }
  const ratio = other === undefined ? undefined : own / other;
  const beside = ratio === undefined ? "" : `, ${ratio.toFixed(1)} x Erlang (${perSecond(other!)})`;
  return {
    what,
    value: `${perSecond(own)}${beside}`,
    ...(ratio === undefined || ratioAim === undefined
      ? {}
      : { aim: `>= ${ratioAim} x Erlang, ${ratio >= ratioAim ? "met" : "missed"}` }),
  };
}

function ownFigures(ours: Results): Figure[] {
  const among = ours.get("call_one_client_among_a_million")!;
  const alone = ours.get("call_one_client")!;
  const moleculer = ours.get("moleculer_call")!;
  return [
    {
      what: "gen-server call beside a local call of Moleculer",
      value: `${(alone / moleculer).toFixed(1)} x Moleculer (${perSecond(moleculer)})`,
      aim: `ahead, ${alone > moleculer ? "met" : "missed"}`,
    },
    {
      what: "resident memory of the same idle process",
      value: `${ours.get("idle_rss_bytes")!.toFixed(0)} bytes`,
    },
    {
      what: "gen-server call among 1,000,000 processes",
      value: `${perSecond(among)}, ${(among / alone).toFixed(2)} x that among few`,
    },
    {
      what: "draining a mailbox of 10,000 and of 1,000,000",
      value: `${ours.get("drain_10k_ns")!.toFixed(0)} and ${ours.get("drain_1m_ns")!.toFixed(0)} ns a message`,
    },
  ];
}

function perSecond(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} M/s`;
}
