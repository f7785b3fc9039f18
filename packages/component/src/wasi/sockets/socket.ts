/**
 * What TCP and UDP sockets share: their buffers, whose sizes Node does not let anybody see or set.
 *
 * @module
 */
import { Resource } from "../scope.ts";
import { WasiError } from "../wasi-errors.ts";

export abstract class SocketResource extends Resource {
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
