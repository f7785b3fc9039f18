/**
 * `wasi:sockets/ip-name-lookup`: only names that a rule allows are ever asked for.
 *
 * @module
 */
import { isIP } from "node:net";
import { addressesMax } from "../net/resolver.ts";
import { type IpAddress, parseAddress } from "../net/ip-address.ts";
import { Pollable, Signal } from "../poll.ts";
import { Resource, type Scope } from "../scope.ts";
import { WasiError } from "../wasi-errors.ts";
import type { Network, SocketContext } from "./socket-context.ts";

const nameLengthMax = 253;

export class ResolveAddressStream extends Resource {
  readonly #changed = new Signal();
  #addresses: IpAddress[] | undefined;
  #failed = false;

  constructor(scope: Scope, addresses: Promise<readonly string[]>) {
    super(scope);
    void this.#resolve(addresses);
  }

  resolveNextAddress(): IpAddress | undefined {
    if (this.#failed) throw new WasiError("name-unresolvable");
    if (this.#addresses === undefined) throw new WasiError("would-block");
    return this.#addresses.shift();
  }

  subscribe(): Pollable {
    return new Pollable(this.scope, {
      ready: () => this.#failed || this.#addresses !== undefined,
      listen: this.#changed.listen,
    });
  }

  async #resolve(addresses: Promise<readonly string[]>): Promise<void> {
    try {
      this.#addresses = (await addresses).slice(0, addressesMax).map(parseAddress);
    } catch {
      this.#failed = true; // The guest is told so, and no more: why is the host's business.
    }
    this.#changed.fire();
  }
}

/** The interface. */
export function nameLookup(context: SocketContext): object {
  const { access, scope } = context;
  const allowedOf = async (
    name: string,
    found: Promise<readonly string[]>,
  ): Promise<readonly string[]> => {
    const allowed = access.resolved(name, await found);
    if (allowed.length === 0) throw new WasiError("name-unresolvable");
    return allowed;
  };
  return {
    ResolveAddressStream,
    resolveAddresses: (_network: Network, name: string) => {
      if (name.length === 0 || name.length > nameLengthMax) throw new WasiError("invalid-argument");
      if (isIP(name) !== 0) return new ResolveAddressStream(scope, Promise.resolve([name]));
      if (!access.mayResolve(name)) {
        scope.denied(`the addresses of ${name}: see allowTcp and allowUdp`);
        throw new WasiError("access-denied");
      }
      return new ResolveAddressStream(scope, allowedOf(name, context.lookUp(name)));
    },
  };
}
