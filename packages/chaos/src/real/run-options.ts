/**
 * What a run is told on its command line.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { Fault } from "./faults/fault.ts";
import { faultsNamed } from "./faults/catalogue.ts";

export interface RunOptions {
  readonly seed: number;
  /** How long faults are made. */
  readonly minutes: number;
  /** How often each kind of fault comes before the run ends sooner; nothing: as often as there is time. */
  readonly rounds: number | undefined;
  readonly faults: readonly Fault[];
  /** Their names, as they were given; nothing: all of them. */
  readonly faultNames: string | undefined;
  /** NATS servers: 1 or 3. */
  readonly servers: number;
  readonly nodes: number;
  readonly callsPerSecond: number;
  readonly broadcastsPerSecond: number;
  /** Whether the negative control runs: nodes that do not look whether they may still act. */
  readonly withoutReplyFence: boolean;
  /** Whether the files of events stay. */
  readonly keep: boolean;
  /** Where the report goes. */
  readonly report: string;
}

const options = {
  seed: { type: "string" },
  minutes: { type: "string", default: "2" },
  rounds: { type: "string" },
  faults: { type: "string" },
  servers: { type: "string", default: "1" },
  nodes: { type: "string", default: "3" },
  calls: { type: "string", default: "200" },
  broadcasts: { type: "string", default: "200" },
  "without-reply-fence": { type: "boolean", default: false },
  keep: { type: "boolean", default: false },
  report: { type: "string", default: "chaos-report" },
} as const;

export const usage = `npm run chaos -- [options]
  --minutes N              how long faults are made (default: 2)
  --rounds N               end sooner, when each kind has come so often
  --seed N                 which faults come when (default: a new one, printed)
  --faults a,b             only these kinds (default: all; an unknown one lists them)
  --servers 1|3            NATS servers (default: 1)
  --nodes N                nodes, 3 or more (default: 3)
  --calls N                calls a second of each node (default: 200)
  --broadcasts N           broadcasts a second of each node (default: 200)
  --without-reply-fence    the negative control: must find violations
  --keep                   keep the events as files
  --report FOLDER          where the report goes (default: chaos-report)`;

/** @throws {RangeError} saying what is wrong. */
export function parseRunOptions(args: readonly string[], newSeed: () => number): RunOptions {
  const { values } = parseArgs({ args: [...args], options });
  const servers = wholeNumber("servers", values.servers);
  if (servers !== 1 && servers !== 3) throw new RangeError("--servers must be 1 or 3");
  const nodes = wholeNumber("nodes", values.nodes);
  if (nodes < 3) throw new RangeError("--nodes must be 3 or more");
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new RangeError("--minutes must be a number above 0");
  return {
    seed: values.seed === undefined ? newSeed() : wholeNumber("seed", values.seed),
    minutes,
    rounds: values.rounds === undefined ? undefined : wholeNumber("rounds", values.rounds),
    faults: faultsNamed(values.faults),
    faultNames: values.faults,
    servers,
    nodes,
    callsPerSecond: wholeNumber("calls", values.calls),
    broadcastsPerSecond: wholeNumber("broadcasts", values.broadcasts),
    withoutReplyFence: values["without-reply-fence"],
    keep: values.keep,
    report: values.report,
  };
}

/** What to run to have the same faults in the same order again. */
export function commandOf(run: RunOptions): string {
  const parts = ["npm run chaos --", `--minutes ${run.minutes}`, `--seed ${run.seed}`];
  if (run.rounds !== undefined) parts.push(`--rounds ${run.rounds}`);
  if (run.faultNames !== undefined) parts.push(`--faults ${run.faultNames}`);
  if (run.servers !== 1) parts.push(`--servers ${run.servers}`);
  if (run.nodes !== 3) parts.push(`--nodes ${run.nodes}`);
  if (run.withoutReplyFence) parts.push("--without-reply-fence");
  return parts.join(" ");
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new RangeError(`--${name} must be a whole number, not ${text}`);
  return number;
}
