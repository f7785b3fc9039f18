/**
 * `npm run fuzz:codec -- --frames 10000000 --seed 1`: mutated packets against the decoder. Fails on a wrong accept, and
 * on any error that the protocol does not name.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { fuzz } from "../packages/net/test/fuzz.ts";

/** How many packets between two lines of progress. */
const portion = 1_000_000;

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Math.trunc(Math.random() * 2 ** 32)) },
  },
});
const total = Number(values.frames);
const seed = Number(values.seed);
const sum = { frames: 0, refused: 0, accepted: 0, wronglyAccepted: 0 };
while (sum.frames < total) {
  const part = fuzz({ seed: seed + sum.frames, frames: Math.min(portion, total - sum.frames) });
  for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += part[key];
  process.stdout.write(`seed ${seed}: ${JSON.stringify(sum)}\n`);
}
process.exitCode = sum.wronglyAccepted === 0 ? 0 : 1;
