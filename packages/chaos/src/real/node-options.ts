/**
 * What the program of a node is told on its command line.
 *
 * @module
 */
import { parseArgs } from "node:util";

export interface ChaosNodeOptions {
  readonly name: string;
  readonly cluster: string;
  readonly servers: readonly string[];
  /** How many NATS servers keep the names. */
  readonly replicas: number;
  /** Where the events go. */
  readonly history: string;
  /** Which life of the node this is, from 1. */
  readonly life: number;
  /** Calls a second of this node, to all names together. */
  readonly callsPerSecond: number;
  /** Broadcasts a second of this node, to all topics together. */
  readonly broadcastsPerSecond: number;
  /** The component's file; nothing: no component. */
  readonly component: string | undefined;
  /** Where compiled components are kept. */
  readonly cacheDir: string;
  /** How fast the clocks of this process run, compared with the machine's. */
  readonly clockRate: number;
  /** See `uptimeLagMs`; only looked at with a rate. */
  readonly uptimeLagMs: number;
  /** Whether it ends when its stdin does: whoever started it is gone. Default: false. */
  readonly isAttached?: boolean;
}

/** The exit status of a node that others took over from while it was frozen: to be started again. */
export const deposedStatus = 3;

const options = {
  name: { type: "string" },
  cluster: { type: "string", default: "chaos" },
  servers: { type: "string" },
  replicas: { type: "string", default: "1" },
  history: { type: "string" },
  life: { type: "string", default: "1" },
  calls: { type: "string", default: "200" },
  broadcasts: { type: "string", default: "200" },
  component: { type: "string" },
  cache: { type: "string", default: ".cache/components" },
  rate: { type: "string", default: "1" },
  "uptime-lag": { type: "string", default: "0" },
  attached: { type: "boolean", default: false },
} as const;

/** @throws {RangeError} for a missing or malformed option. */
export function parseNodeOptions(args: readonly string[]): ChaosNodeOptions {
  const { values } = parseArgs({ args: [...args], options });
  const { name, servers, history } = values;
  if (name === undefined || servers === undefined || history === undefined)
    throw new RangeError("a chaos node needs --name, --servers and --history");
  return {
    name,
    cluster: values.cluster,
    servers: servers.split(","),
    replicas: numberOf("replicas", values.replicas),
    history,
    life: numberOf("life", values.life),
    callsPerSecond: numberOf("calls", values.calls),
    broadcastsPerSecond: numberOf("broadcasts", values.broadcasts),
    component: values.component,
    cacheDir: values.cache,
    clockRate: numberOf("rate", values.rate),
    uptimeLagMs: numberOf("uptime-lag", values["uptime-lag"]),
    isAttached: values.attached,
  };
}

/** The same as a command line: what {@link parseNodeOptions} reads. */
export function nodeArguments(given: ChaosNodeOptions): string[] {
  const pairs: readonly (readonly [string, string | number | undefined])[] = [
    ["name", given.name],
    ["cluster", given.cluster],
    ["servers", given.servers.join(",")],
    ["replicas", given.replicas],
    ["history", given.history],
    ["life", given.life],
    ["calls", given.callsPerSecond],
    ["broadcasts", given.broadcastsPerSecond],
    ["component", given.component],
    ["cache", given.cacheDir],
    ["rate", given.clockRate],
    ["uptime-lag", given.uptimeLagMs],
  ];
  const valued = pairs.flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
  return given.isAttached === true ? [...valued, "--attached"] : valued;
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number)) throw new RangeError(`--${name} must be a number, not ${text}`);
  return number;
}
