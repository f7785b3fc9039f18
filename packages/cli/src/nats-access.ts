/**
 * As whom a node connects to NATS, and whom it trusts: from the environment or a configuration file.
 *
 * @module
 */
import type { Credentials, TlsFiles } from "@coppice/net-nats";
import { UsageError } from "./exit-codes.ts";

/** What a node needs besides the servers' addresses. */
export interface NatsAccess {
  readonly credentials?: Credentials;
  readonly tls?: TlsFiles;
  /** How many servers of a NATS cluster keep the names: 1, 3 or 5. Only when their bucket is made. Default: 1. */
  readonly replicas?: number;
}

/** The settings, as a configuration file names them. */
export const accessSettings = [
  "user",
  "password",
  "token",
  "nkeyFile",
  "credsFile",
  "caFile",
  "certFile",
  "keyFile",
  "replicas",
] as const;

type Setting = (typeof accessSettings)[number];
type Settings = Readonly<Partial<Record<Setting, unknown>>>;

/** Reads `COPPICE_USER`, `COPPICE_NKEY_FILE` and so on. @throws {UsageError} */
export function accessFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): NatsAccess | undefined {
  const variable = (setting: Setting): string =>
    `COPPICE_${setting.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  const settings: Partial<Record<Setting, unknown>> = {};
  for (const setting of accessSettings) {
    const value = environment[variable(setting)];
    if (value === undefined || value === "") continue;
    settings[setting] = setting === "replicas" ? Number(value) : value;
  }
  return parseAccess(settings, (setting) => variable(setting));
}

/**
 * Undefined where nothing is set. `nameOf`: what the user calls a setting.
 *
 * @throws {UsageError} naming the setting that is wrong, missing, or one too many.
 */
export function parseAccess(
  settings: Settings,
  nameOf: (setting: Setting) => string,
): NatsAccess | undefined {
  const text = (setting: Setting): string | undefined => {
    const value = settings[setting];
    if (value === undefined) return undefined;
    if (typeof value !== "string" || value === "")
      throw new UsageError(`${nameOf(setting)} must be a text`);
    return value;
  };
  const credentials = credentialsIn(text, nameOf);
  const tls = tlsIn(text, nameOf);
  const replicas = replicasIn(settings.replicas, nameOf("replicas"));
  if (credentials === undefined && tls === undefined && replicas === undefined) return undefined;
  return {
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
    ...(replicas === undefined ? {} : { replicas }),
  };
}

type Text = (setting: Setting) => string | undefined;
type NameOf = (setting: Setting) => string;

function credentialsIn(text: Text, nameOf: NameOf): Credentials | undefined {
  const [user, pass, token] = [text("user"), text("password"), text("token")];
  const [seedFile, credsFile] = [text("nkeyFile"), text("credsFile")];
  if ((user === undefined) !== (pass === undefined))
    throw new UsageError(`${nameOf("user")} and ${nameOf("password")} belong together: set both`);
  const given: Credentials[] = [];
  if (user !== undefined && pass !== undefined) given.push({ type: "password", user, pass });
  if (token !== undefined) given.push({ type: "token", token });
  if (seedFile !== undefined) given.push({ type: "nkey", seedFile });
  if (credsFile !== undefined) given.push({ type: "creds", credsFile });
  if (given.length > 1)
    throw new UsageError(
      `set one of ${nameOf("user")}, ${nameOf("token")}, ${nameOf("nkeyFile")}, ${nameOf("credsFile")}: NATS takes one kind of credentials`,
    );
  return given[0];
}

function tlsIn(text: Text, nameOf: NameOf): TlsFiles | undefined {
  const [caFile, certFile, keyFile] = [text("caFile"), text("certFile"), text("keyFile")];
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UsageError(
      `${nameOf("certFile")} and ${nameOf("keyFile")} belong together: set both`,
    );
  if (caFile === undefined && certFile === undefined) return undefined;
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined || keyFile === undefined ? {} : { certFile, keyFile }),
  };
}

function replicasIn(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (value !== 1 && value !== 3 && value !== 5)
    throw new UsageError(`${name} must be 1, 3 or 5: how many NATS servers keep the names`);
  return value;
}
