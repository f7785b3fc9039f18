/**
 * What one guest's sockets share.
 *
 * @module
 */
import type { Resolver } from "../net/resolver.ts";
import { Resource, type Scope } from "../scope.ts";
import { WasiError } from "../wasi-errors.ts";
import type { SocketAccess } from "./socket-access.ts";

/** The most sockets one guest has at once. */
const socketsMax = 128;
/** The most names one guest has resolved at once. */
const lookupsMax = 4;

/** `wasi:sockets/network.network`: stands for the one network there is. */
export class Network extends Resource {}

export class SocketContext {
  readonly scope: Scope;
  readonly access: SocketAccess;
  readonly #resolve: Resolver;
  #sockets = 0;
  #lookups = 0;

  constructor(scope: Scope, access: SocketAccess, resolve: Resolver) {
    this.scope = scope;
    this.access = access;
    this.#resolve = resolve;
  }

  /** @throws {WasiError} if there are too many sockets. */
  opened(): void {
    if (this.#sockets >= socketsMax) throw new WasiError("new-socket-limit");
    this.#sockets += 1;
  }

  closed(): void {
    this.#sockets -= 1;
  }

  /**
   * All addresses of a name. The system's resolver has few threads, which the node's files share.
   *
   * @throws {WasiError} if too many names are being resolved.
   */
  lookUp(name: string): Promise<readonly string[]> {
    if (this.#lookups >= lookupsMax) throw new WasiError("temporary-resolver-failure");
    this.#lookups += 1;
    return this.#resolve(name).finally(() => {
      this.#lookups -= 1;
    });
  }
}
