/**
 * Where the command finds its cluster: flags over environment over file over a running demo over the defaults.
 *
 * @module
 */
import { UsageError } from "./exit-codes.ts";
import {
  accessFromEnvironment,
  accessSettings,
  type NatsAccess,
  parseAccess,
} from "./nats-access.ts";

/** What every command needs. */
export interface Config {
  readonly servers: readonly string[];
  readonly cluster: string;
  readonly timeoutMs: number;
  /** Credentials and certificates. */
  readonly access?: NatsAccess;
}

/** What one source may say. */
export type ConfigSource = Partial<Config>;

export const configDefaults: Config = {
  servers: ["nats://127.0.0.1:4222"],
  cluster: "default",
  timeoutMs: 5_000,
  access: {},
};

/** The first source that says something wins, for each setting by itself. */
export function mergeConfig(...sources: readonly ConfigSource[]): Config {
  const pick = <K extends keyof Config>(key: K): Config[K] =>
    sources.find((source) => source[key] !== undefined)?.[key] ?? configDefaults[key];
  return {
    servers: pick("servers"),
    cluster: pick("cluster"),
    timeoutMs: pick("timeoutMs"),
    access: pick("access") ?? {},
  };
}

/** `COPPICE_SERVERS`, `COPPICE_CLUSTER`, and the credentials. @throws {UsageError} */
export function configFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ConfigSource {
  const { COPPICE_SERVERS: servers = "", COPPICE_CLUSTER: cluster = "" } = environment;
  const access = accessFromEnvironment(environment);
  return {
    ...(servers === "" ? {} : { servers: parseServers(servers) }),
    ...(cluster === "" ? {} : { cluster }),
    ...(access === undefined ? {} : { access }),
  };
}

/** Reads a file's text. @throws {UsageError} naming the file and what is wrong with it. */
export function parseConfig(text: string, path: string): ConfigSource {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = `${path} is not valid JSON: ${(cause as Error).message}; correct it`;
    throw new UsageError(message, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`${path} must hold a JSON object with servers, cluster or timeoutMs`);
  const { servers, cluster, timeoutMs, ...others } = value as Record<string, unknown>;
  const known: readonly string[] = accessSettings;
  const stray = Object.keys(others).find((setting) => !known.includes(setting));
  if (stray !== undefined)
    throw new UsageError(
      `${path} has an unknown setting ${stray}; it may have servers, cluster, timeoutMs, ${known.join(", ")}`,
    );
  const access = parseAccess(others, (setting) => `${path}: ${setting}`);
  return {
    ...(servers === undefined ? {} : { servers: serversIn(servers, path) }),
    ...(cluster === undefined ? {} : { cluster: textIn(cluster, path) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs: millisecondsIn(timeoutMs, path) }),
    ...(access === undefined ? {} : { access }),
  };
}

/** Server addresses from one text, separated by commas. */
export function parseServers(text: string): readonly string[] {
  const servers = text.split(",").map((each) => each.trim());
  if (servers.some((each) => each === ""))
    throw new UsageError(
      `the servers ${JSON.stringify(text)} are not a list such as nats://host:4222`,
    );
  return servers;
}

/** @throws {UsageError} unless it is a whole number, 1 or more. */
export function parseTimeoutMs(text: string): number {
  const ms = Number(text);
  if (!Number.isInteger(ms) || ms < 1)
    throw new UsageError(`the timeout ${JSON.stringify(text)} is not a number of milliseconds`);
  return ms;
}

function serversIn(value: unknown, path: string): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.some((each) => typeof each !== "string"))
    throw new UsageError(`${path}: servers must be a list of addresses such as "nats://host:4222"`);
  return value as string[];
}

function textIn(value: unknown, path: string): string {
  if (typeof value !== "string" || value === "")
    throw new UsageError(`${path}: cluster must be a name`);
  return value;
}

function millisecondsIn(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1)
    throw new UsageError(`${path}: timeoutMs must be a whole number of milliseconds, 1 or more`);
  return value;
}
