/**
 * What TCP and UDP sockets share.
 *
 * @module
 */
import { Resource } from "../scope.ts";
import { WasiError } from "../wasi-errors.ts";
import {
  type AddressFamily,
  fromWasi,
  type IpSocketAddress,
  isAnyAddress,
} from "./socket-address.ts";
import type { SocketContext } from "./socket-context.ts";

export abstract class SocketResource extends Resource {
  readonly #family: AddressFamily;

  /** @throws {WasiError} if the guest has too many sockets. */
  constructor(context: SocketContext, family: AddressFamily, close: () => void) {
    context.opened();
    super(context.scope, () => {
      context.closed();
      close();
    });
    this.#family = family;
  }

  addressFamily(): AddressFamily {
    return this.#family;
  }

  /** A guest may only say that the system shall choose. @throws {WasiError} */
  protected checkLocal(local: IpSocketAddress): void {
    if (local.tag !== this.#family) throw new WasiError("invalid-argument");
    if (!isAnyAddress(fromWasi(local))) throw new WasiError("access-denied");
  }

  receiveBufferSize(): never {
    throw notSupported();
  }

  setReceiveBufferSize(): never {
    throw notSupported();
  }

  sendBufferSize(): never {
    throw notSupported();
  }

  setSendBufferSize(): never {
    throw notSupported();
  }
}

/** The answer to a question about a socket that Node cannot answer. */
export function notSupported(): WasiError {
  return new WasiError("not-supported");
}
