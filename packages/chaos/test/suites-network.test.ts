import { findNatsServer } from "@coppice/net-nats";
import { expect, test } from "vitest";
import { shortNetworkSuite } from "../src/suites/network-suite.ts";
import { runSuite } from "../src/suites/suite.ts";

/** Nodes start, are hit twice, recover and drain; on a busy machine each takes its time. */
const timeoutMs = 180_000;

test(
  "a node that is reset and cut off on a real network loses its names, and comes back",
  async () => {
    const said: string[] = [];
    const say = (line: string): void => {
      said.push(line);
      process.stderr.write(`${line}\n`);
    };
    const natsServer = findNatsServer({ path: process.env["PATH"] ?? "" });
    if (natsServer === undefined) return say("SKIPPED network: there is no nats-server");
    const { signal } = new AbortController();
    const result = await runSuite(shortNetworkSuite, { natsServer, say, signal });
    if (result.type === "skipped") return expect(said.join("\n")).toContain("SKIPPED network");
    if (result.type === "failed") throw result.error;
    expect(result.judgement.violations).toEqual([]);
    const [reset, cut] = result.strikes;
    expect(reset).toMatchObject({ kind: "reset", recoveredMs: expect.any(Number) });
    expect(cut).toMatchObject({ kind: "cut", movedMs: expect.any(Number) });
    expect(cut!.names).toBeGreaterThan(0);
    expect(result.judgement.totals.answered).toBeGreaterThan(100);
    expect(said.filter((line) => line.includes("could not be taken back"))).toEqual([]);
  },
  timeoutMs,
);
