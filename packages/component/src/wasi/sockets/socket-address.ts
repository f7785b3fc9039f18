/**
 * Socket addresses in WASI's form, and WASI's error codes for what the operating system says about sockets.
 *
 * @module
 */
import { isIPv4 } from "node:net";
import { errnoCode } from "../files/file-error.ts";
import { formatAddress, parseAddress } from "../net/ip-address.ts";

export type AddressFamily = "ipv4" | "ipv6";

/** WASI's `ip-socket-address`. */
export interface IpSocketAddress {
  readonly tag: AddressFamily;
  readonly val: {
    readonly port: number;
    readonly address: readonly number[];
    readonly flowInfo?: number;
    readonly scopeId?: number;
  };
}

/** A far or near end as Node has it. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export function fromWasi({ tag, val }: IpSocketAddress): Endpoint {
  return { address: formatAddress({ tag, val: val.address }), port: val.port };
}

export function toWasi({ address, port }: Endpoint): IpSocketAddress {
  const { tag, val } = parseAddress(address);
  if (tag === "ipv4") return { tag, val: { port, address: val } };
  return { tag, val: { port, address: val, flowInfo: 0, scopeId: 0 } };
}

/** The address of every interface with a port the system chooses: the only one a guest may bind to. */
export function isAnyAddress({ address, port }: Endpoint): boolean {
  return port === 0 && (isIPv4(address) ? address === "0.0.0.0" : address === "::");
}

const codes: Readonly<Record<string, string>> = {
  EACCES: "access-denied",
  EADDRINUSE: "address-in-use",
  EADDRNOTAVAIL: "address-not-bindable",
  ECONNABORTED: "connection-aborted",
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-reset",
  EHOSTUNREACH: "remote-unreachable",
  EINVAL: "invalid-argument",
  EMFILE: "new-socket-limit",
  EMSGSIZE: "datagram-too-large",
  ENETUNREACH: "remote-unreachable",
  EPERM: "access-denied",
  EPIPE: "connection-reset",
  ETIMEDOUT: "timeout",
};

/** WASI's code. */
export function socketErrorCode(thrown: unknown): string {
  return codes[errnoCode(thrown) ?? ""] ?? "unknown";
}
