/**
 * From a name to its addresses, by way of the machine's own resolver.
 *
 * @module
 */
import { lookup } from "node:dns/promises";

/** All addresses of a host, best first. Rejects if there are none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

/** The most addresses of one name that are looked at. */
export const addressesMax = 32;

/** The machine's resolver, the hosts file included. */
export const systemResolver: Resolver = async (host) => {
  const found = await lookup(host, { all: true });
  return found.slice(0, addressesMax).map(({ address }) => address);
};
