/**
 * IP addresses: as text, as WASI's tuples, and which of them the public may be reached at.
 *
 * Pure. Sources: IANA's IPv4 and IPv6 special-purpose address registries; RFC 4291 (IPv6 text and mapped addresses).
 *
 * @module
 */
import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from "node:net";

/** WASI's `ip-address`. */
export type IpAddress =
  | { readonly tag: "ipv4"; readonly val: readonly number[] }
  | { readonly tag: "ipv6"; readonly val: readonly number[] };

const ipv4Groups = 4;
const ipv6Groups = 8;

/** Everything that is not the public internet: this host, private networks, link-local, multicast, reserved. */
const ipv4Refused = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  ipv4Refused.addSubnet(network, prefix, "ipv4");

/** The one block of IPv6 that is in use for the public internet, and what of it is not. */
const ipv6Global = new BlockList();
ipv6Global.addSubnet("2000::", 3, "ipv6");
const ipv6Refused = new BlockList();
for (const [network, prefix] of [
  ["2001::", 23], // Protocol assignments, Teredo among them.
  ["2001:db8::", 32],
  ["2002::", 16], // 6to4: carries an IPv4 address of any kind.
  ["3fff::", 20],
] as const)
  ipv6Refused.addSubnet(network, prefix, "ipv6");

/** Whether an address is of the public internet. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  const plain = normalAddress(address);
  if (plain === undefined) return false;
  if (isIPv4(plain)) return !ipv4Refused.check(plain, "ipv4");
  return ipv6Global.check(plain, "ipv6") && !ipv6Refused.check(plain, "ipv6");
}

/** The one way to write an address: IPv4 for IPv4-mapped IPv6, no zone; undefined if it is no address. */
export function normalAddress(address: string): string | undefined {
  const text = address.replace(/%.*$/, "");
  if (isIP(text) === 0) return undefined;
  if (isIPv4(text)) return text;
  const { address: plain } = new SocketAddress({ address: text, family: "ipv6" });
  const groups = ipv6ToGroups(plain);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return plain;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** From WASI. */
export function formatAddress({ tag, val }: IpAddress): string {
  if (tag === "ipv4") return val.slice(0, ipv4Groups).join(".");
  const text = val
    .slice(0, ipv6Groups)
    .map((group) => group.toString(16))
    .join(":");
  return new SocketAddress({ address: text, family: "ipv6" }).address;
}

/** To WASI. @throws {RangeError} if it is no address. */
export function parseAddress(address: string): IpAddress {
  const text = address.replace(/%.*$/, "");
  if (isIPv4(text)) return { tag: "ipv4", val: text.split(".").map(Number) };
  if (!isIPv6(text)) throw new RangeError(`${address} is not an IP address`);
  return { tag: "ipv6", val: ipv6ToGroups(text) };
}

function ipv6ToGroups(text: string): number[] {
  const withoutIpv4 = text.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a: string, b: string, c: string, d: string) => {
      const group = (high: string, low: string): string =>
        ((Number(high) << 8) | Number(low)).toString(16);
      return `${group(a, b)}:${group(c, d)}`;
    },
  );
  const [head = "", tail] = withoutIpv4.split("::");
  const parsed = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return parsed(head);
  const [start, end] = [parsed(head), parsed(tail)];
  const zeros = Array.from({ length: ipv6Groups - start.length - end.length }, () => 0);
  return [...start, ...zeros, ...end];
}
