/**
 * Calls between two processes over one nats-server: Coppice, the plain NATS client, Moleculer; and Erlang, which needs
 * no broker. The contenders take turns within each round, so that a busy moment of the machine meets all of them.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNatsServer, startNatsServer } from "@coppice/net-nats";
import { percentile } from "@coppice/testkit";
import { type Figure } from "./figures.ts";
import { startErlang } from "./remote-erlang.ts";
import type { Load, LoadResult } from "./remote-load.ts";
import { type Reporting, startProgram } from "./remote-processes.ts";

const rounds = 5;
/** One call after the other is too few in a second for V8 to have optimized anybody's code. */
const loads = [
  { inFlight: 1, payloadBytes: 16, warmUpMs: 3_000 },
  { inFlight: 64, payloadBytes: 16, warmUpMs: 700 },
  { inFlight: 256, payloadBytes: 16, warmUpMs: 700 },
  { inFlight: 64, payloadBytes: 4_096, warmUpMs: 700 },
].map((load): Load => ({ ...load, measureMs: 1_300 }));

interface Contender {
  readonly name: string;
  readonly ask: (load: Load) => Reporting;
  readonly stop: () => Promise<void>;
}

type Results = ReadonlyMap<string, LoadResult>;

/** Every load of every contender: the median of the rounds. */
export async function measureRemoteCalls(say: (line: string) => void): Promise<Figure[]> {
  const executable = findNatsServer({
    given: process.env["COPPICE_NATS_SERVER"],
    path: process.env["PATH"] ?? "",
  });
  if (executable === undefined) {
    say("SKIPPED: remote calls: no nats-server was found");
    return [];
  }
  const storeDir = await mkdtemp(join(tmpdir(), "coppice-bench-"));
  const server = await startNatsServer({ executable, storeDir });
  const contenders: Contender[] = [];
  try {
    for (const name of ["coppice", "nats-request", "moleculer"])
      contenders.push(await startContender(name, server.url));
    const erlang = await startErlang(say);
    if (erlang !== undefined) contenders.push({ name: "erlang", ...erlang });
    const figures: Figure[] = [];
    for (const load of loads) figures.push(figureOf(load, await compare(load, contenders, say)));
    return figures;
  } finally {
    for (const { stop } of contenders) await stop();
    await server.stop();
    await rm(storeDir, { recursive: true, force: true });
  }
}

async function startContender(name: string, server: string): Promise<Contender> {
  const program = `remote-${name}.ts`;
  const answering = startProgram(program, ["answer", server]);
  await answering.next();
  const ask = ({ inFlight, payloadBytes, warmUpMs, measureMs }: Load): Reporting =>
    startProgram(program, [
      "ask",
      server,
      ...[inFlight, payloadBytes, warmUpMs, measureMs].map(String),
    ]);
  return { name, ask, stop: answering.stop };
}

async function compare(
  load: Load,
  contenders: readonly Contender[],
  say: (line: string) => void,
): Promise<Results> {
  const samples = new Map(contenders.map(({ name }) => [name, [] as LoadResult[]]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, ask } of contenders) {
      const asking = ask(load);
      samples.get(name)!.push((await asking.next()) as LoadResult);
      await asking.stop();
    }
    say(`remote calls, ${describe(load)}: round ${round} of ${rounds}`);
  }
  return new Map([...samples].map(([name, results]) => [name, median(results)]));
}

function median(results: readonly LoadResult[]): LoadResult {
  const of = (key: keyof LoadResult): number =>
    percentile(
      results.map((result) => result[key]),
      0.5,
    );
  return { perSecond: of("perSecond"), p50Us: of("p50Us"), p99Us: of("p99Us") };
}

function figureOf(load: Load, results: Results): Figure {
  const isLatency = load.inFlight === 1;
  const show = ({ perSecond, p50Us, p99Us }: LoadResult): string =>
    isLatency
      ? `p50 ${Math.round(p50Us)} µs, p99 ${Math.round(p99Us)} µs`
      : `${Math.round(perSecond / 1_000)} k/s`;
  const value = [...results].map(([name, result]) => `${name} ${show(result)}`).join("; ");
  const { text, met } = aimOf(load, results);
  return {
    what: `remote call, ${describe(load)}`,
    value,
    aim: `${text}, ${met ? "met" : "missed"}`,
  };
}

function aimOf(load: Load, results: Results): { readonly text: string; readonly met: boolean } {
  const own = results.get("coppice")!;
  const peers = [...results].filter(([name]) => name !== "coppice").map(([, result]) => result);
  const times = own.perSecond / Math.max(...peers.map(({ perSecond }) => perSecond));
  const plain = results.get("nats-request")!;
  if (load.inFlight === 1) {
    const met = own.p50Us < Math.min(plain.p50Us, results.get("moleculer")!.p50Us);
    return { text: "ahead of nats-request and moleculer", met };
  }
  if (load.payloadBytes > 16) {
    const met = own.perSecond >= 1.5 * plain.perSecond;
    const factor = (own.perSecond / plain.perSecond).toFixed(1);
    return { text: `>= 1.5x nats-request (${factor}x)`, met };
  }
  const [rate, factor] = load.inFlight === 64 ? [100_000, 2] : [150_000, 3];
  return {
    text: `>= ${rate / 1_000} k/s and >= ${factor}x every peer (${times.toFixed(1)}x the best)`,
    met: own.perSecond >= rate && times >= factor,
  };
}

function describe({ inFlight, payloadBytes }: Load): string {
  return `${inFlight} in flight, ${payloadBytes} B`;
}
