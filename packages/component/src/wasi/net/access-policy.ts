/**
 * Whom a guest may talk to: allow-lists of origins (HTTP) and endpoints (sockets), and what each allows.
 *
 * Pure. A rule names the far end exactly: scheme, host and port. A host that is not named cannot be reached, and a
 * named one only at addresses of the public internet, unless its rule says `allowPrivate`.
 *
 * @module
 */
import { isIPv6 } from "node:net";
import { WasiOptionError } from "../wasi-errors.ts";
import { isPublicAddress, normalAddress } from "./ip-address.ts";

/** A far end by name alone, or with what is allowed beyond the default. */
export type AccessRule =
  | string
  | {
      /** `https://api.example.com` for HTTP, `db.example.com:5432` for sockets. */
      readonly to: string;
      /**
       * Whether it may be at a loopback, private, link-local or reserved address, cloud metadata services included.
       * Default: false.
       */
      readonly allowPrivate?: boolean;
    };

const portMax = 65_535;

/** What a rule allows. */
export interface Access {
  readonly allowPrivate: boolean;
}

/** Rules by the normal form of what they name. */
export type AccessTable = ReadonlyMap<string, Access>;

/** @throws {WasiOptionError} for a rule that is not an origin of http or https. */
export function originTable(rules: readonly AccessRule[]): AccessTable {
  return tableOf(rules, (text) => {
    const url = URL.parse(text);
    const isOrigin =
      url !== null &&
      (url.protocol === "http:" || url.protocol === "https:") &&
      `${url.origin}/` === url.href;
    if (!isOrigin)
      throw new WasiOptionError(
        `allowHttp: ${text} is not an origin such as https://api.example.com`,
      );
    return url.origin;
  });
}

/** @throws {WasiOptionError} for a rule that is not `host:port`. `option` names the list, for the message. */
export function endpointTable(option: string, rules: readonly AccessRule[]): AccessTable {
  return tableOf(rules, (text) => {
    const [, host = "", port = ""] = /^(\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(text) ?? [];
    if (Number(port) < 1 || Number(port) > portMax)
      throw new WasiOptionError(`${option}: ${text} is not host:port, such as db.example.com:5432`);
    return endpoint(host, Number(port));
  });
}

/** The normal form of a host and a port. */
export function endpoint(host: string, port: number): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const plain = normalAddress(bare) ?? bare;
  return isIPv6(plain) ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/** Those of a host's addresses that may be connected to, in the order given. */
export function allowedAddresses(addresses: readonly string[], { allowPrivate }: Access): string[] {
  return addresses.filter((address) =>
    allowPrivate ? normalAddress(address) !== undefined : isPublicAddress(address),
  );
}

function tableOf(rules: readonly AccessRule[], key: (text: string) => string): AccessTable {
  const table = new Map<string, Access>();
  for (const rule of rules) {
    const { to, allowPrivate = false } = typeof rule === "string" ? { to: rule } : rule;
    table.set(key(to), { allowPrivate });
  }
  return table;
}
