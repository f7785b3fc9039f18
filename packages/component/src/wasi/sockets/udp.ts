/**
 * `wasi:sockets/udp`: datagrams to and from the endpoints a guest was allowed. Others' datagrams are dropped.
 *
 * @module
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { closed } from "../net/node-streams.ts";
import { Pollable, Signal } from "../poll.ts";
import { Resource } from "../scope.ts";
import { WasiError } from "../wasi-errors.ts";
import {
  type AddressFamily,
  type Endpoint,
  fromWasi,
  type IpSocketAddress,
  socketErrorCode,
  toWasi,
} from "./socket-address.ts";
import { notSupported, SocketResource } from "./socket.ts";
import type { Network, SocketContext } from "./socket-context.ts";

/** The most datagrams that wait for the guest; more are dropped, as a full socket buffer does. */
const waitingMax = 64;
/** The most datagrams on their way out. */
const sendingMax = 64;

/** What the socket and its streams share. */
interface Shared {
  readonly context: SocketContext;
  readonly changed: Signal;
  readonly waiting: { readonly data: Uint8Array; readonly remoteAddress: IpSocketAddress }[];
  socket?: Socket;
  bound: boolean;
  sending: number;
  error?: Error;
  remote?: Endpoint;
}

export class UdpSocket extends SocketResource {
  readonly #shared: Shared;

  constructor(context: SocketContext, family: AddressFamily) {
    const shared: Shared = {
      context,
      changed: new Signal(),
      waiting: [],
      bound: false,
      sending: 0,
    };
    super(context, family, () => {
      shared.bound = false;
      shared.socket?.close();
    });
    this.#shared = shared;
  }

  startBind(_network: Network, local: IpSocketAddress): void {
    const shared = this.#shared;
    if (shared.socket !== undefined) throw new WasiError("invalid-state");
    this.checkLocal(local);
    const socket = createSocket({ type: this.addressFamily() === "ipv4" ? "udp4" : "udp6" });
    shared.socket = socket;
    this.scope.closing(closed(socket));
    socket.on("message", (data, from) => receive(shared, data, from));
    socket.on("error", (error) => {
      shared.error = error;
      shared.changed.fire();
    });
    socket.on("listening", shared.changed.fire);
    socket.bind();
  }

  finishBind(): void {
    const { socket, bound, error } = this.#shared;
    if (socket === undefined || bound) throw new WasiError("not-in-progress");
    if (error !== undefined) throw new WasiError(socketErrorCode(error), { cause: error });
    if (!isListening(socket)) throw new WasiError("would-block");
    this.#shared.bound = true;
  }

  stream(remote: IpSocketAddress | undefined): [IncomingDatagramStream, OutgoingDatagramStream] {
    const shared = this.#shared;
    if (!shared.bound) throw new WasiError("invalid-state");
    delete shared.remote;
    if (remote !== undefined) {
      const end = fromWasi(remote);
      if (!shared.context.access.mayReach("udp", end)) throw new WasiError("access-denied");
      shared.remote = end;
    }
    return [new IncomingDatagramStream(shared), new OutgoingDatagramStream(shared)];
  }

  localAddress(): IpSocketAddress {
    const { socket, bound } = this.#shared;
    if (socket === undefined || !bound) throw new WasiError("invalid-state");
    return toWasi(socket.address());
  }

  remoteAddress(): IpSocketAddress {
    const { remote } = this.#shared;
    if (remote === undefined) throw new WasiError("invalid-state");
    return toWasi(remote);
  }

  unicastHopLimit(): never {
    throw notSupported();
  }

  setUnicastHopLimit(): never {
    throw notSupported();
  }

  subscribe(): Pollable {
    const shared = this.#shared;
    return new Pollable(this.scope, {
      ready: () =>
        shared.socket === undefined || shared.error !== undefined || isListening(shared.socket),
      listen: shared.changed.listen,
    });
  }
}

export class IncomingDatagramStream extends Resource {
  readonly #shared: Shared;

  constructor(shared: Shared) {
    super(shared.context.scope);
    this.#shared = shared;
  }

  receive(max: bigint): object[] {
    const { waiting } = this.#shared;
    return waiting.splice(0, max > waitingMax ? waitingMax : Number(max));
  }

  subscribe(): Pollable {
    const { waiting, changed } = this.#shared;
    return new Pollable(this.scope, { ready: () => waiting.length > 0, listen: changed.listen });
  }
}

interface OutgoingDatagram {
  readonly data: Uint8Array;
  readonly remoteAddress?: IpSocketAddress;
}

export class OutgoingDatagramStream extends Resource {
  readonly #shared: Shared;

  constructor(shared: Shared) {
    super(shared.context.scope);
    this.#shared = shared;
  }

  checkSend(): bigint {
    return BigInt(sendingMax - this.#shared.sending);
  }

  /** How many were taken. Whether one arrives is not known, as with any datagram. */
  send(datagrams: readonly OutgoingDatagram[]): bigint {
    if (!this.#shared.bound) throw new WasiError("invalid-state");
    if (datagrams.length > this.checkSend()) throw new WasiError("invalid-argument");
    let sent = 0n;
    for (const datagram of datagrams) {
      const end = this.#endOf(datagram);
      if (end === undefined) {
        if (sent > 0n) return sent;
        throw new WasiError("access-denied");
      }
      this.#send(datagram.data, end);
      sent += 1n;
    }
    return sent;
  }

  subscribe(): Pollable {
    const shared = this.#shared;
    return new Pollable(this.scope, {
      ready: () => shared.sending < sendingMax,
      listen: shared.changed.listen,
    });
  }

  /** Where a datagram may go; undefined if it may not. */
  #endOf({ remoteAddress }: OutgoingDatagram): Endpoint | undefined {
    const { context, remote } = this.#shared;
    const end = remoteAddress === undefined ? remote : fromWasi(remoteAddress);
    if (end === undefined) throw new WasiError("invalid-argument");
    if (context.access.mayReach("udp", end)) return end;
    this.scope.denied(`a datagram to ${end.address} port ${end.port}: see allowUdp`);
    return undefined;
  }

  #send(data: Uint8Array, { address, port }: Endpoint): void {
    const shared = this.#shared;
    shared.sending += 1;
    shared.socket!.send(data, port, address, () => {
      shared.sending -= 1;
      shared.changed.fire();
    });
  }
}

function receive(shared: Shared, data: Uint8Array, { address, port }: RemoteInfo): void {
  const { context, remote, waiting, changed } = shared;
  const isWanted =
    remote === undefined
      ? context.access.mayReach("udp", { address, port })
      : remote.address === address && remote.port === port;
  if (!isWanted || waiting.length >= waitingMax) return;
  waiting.push({ data, remoteAddress: toWasi({ address, port }) });
  changed.fire();
}

/** Node's datagram sockets only say so by having an address. */
function isListening(socket: Socket): boolean {
  try {
    socket.address();
    return true;
  } catch {
    return false;
  }
}
