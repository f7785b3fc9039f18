/**
 * Which addresses a guest's sockets may talk to: those it was allowed by address, and those that an allowed name was
 * resolved to for it.
 *
 * A connection goes to an address, so a second answer to the same name cannot lead it elsewhere: the address itself
 * is looked at.
 *
 * @module
 */
import { type Access, type AccessTable, allowedAddresses, endpoint } from "../net/access-policy.ts";
import { normalAddress } from "../net/ip-address.ts";
import type { Endpoint } from "./socket-address.ts";

/** The most resolved addresses remembered; the oldest are forgotten. */
const rememberedMax = 1_024;

/** What a guest's sockets may do. */
export interface SocketRules {
  readonly tcp: AccessTable;
  readonly udp: AccessTable;
}

export class SocketAccess {
  readonly #rules: SocketRules;
  /** The names that were resolved to an address. */
  readonly #names = new Map<string, Set<string>>();

  constructor(rules: SocketRules) {
    this.#rules = rules;
  }

  /** Whether a name may be resolved: it is in a rule, whatever its port. */
  mayResolve(host: string): boolean {
    return this.#rulesFor(host).length > 0;
  }

  /** Those of a name's addresses that one of its rules allows; they are remembered. */
  resolved(host: string, addresses: readonly string[]): string[] {
    const rules = this.#rulesFor(host);
    const allowed = addresses.filter((each) =>
      rules.some((access) => allowedAddresses([each], access).length > 0),
    );
    for (const address of allowed) this.#remember(normalAddress(address)!, host.toLowerCase());
    return allowed;
  }

  mayReach(protocol: keyof SocketRules, { address, port }: Endpoint): boolean {
    const plain = normalAddress(address);
    if (plain === undefined) return false;
    return [plain, ...(this.#names.get(plain) ?? [])].some((host) => {
      const access = this.#rules[protocol].get(endpoint(host, port));
      return access !== undefined && allowedAddresses([plain], access).length > 0;
    });
  }

  #rulesFor(host: string): Access[] {
    const prefix = endpoint(host, 0).slice(0, -1);
    return [...this.#rules.tcp, ...this.#rules.udp].flatMap(([key, access]) =>
      key.slice(0, key.lastIndexOf(":") + 1) === prefix ? [access] : [],
    );
  }

  #remember(address: string, host: string): void {
    const names = this.#names.get(address) ?? new Set();
    this.#names.delete(address);
    this.#names.set(address, names.add(host));
    if (this.#names.size <= rememberedMax) return;
    const [oldest = ""] = this.#names.keys();
    this.#names.delete(oldest);
  }
}
