/**
 * `wasi:sockets/tcp`: connections out. A guest cannot listen.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { closed, readableSource, writableSink } from "../net/node-streams.ts";
import { Pollable, Signal } from "../poll.ts";
import { Resource, type Scope } from "../scope.ts";
import { closedStream, InputStream, OutputStream } from "../streams.ts";
import { WasiError } from "../wasi-errors.ts";
import {
  type AddressFamily,
  fromWasi,
  type IpSocketAddress,
  socketErrorCode,
  toWasi,
} from "./socket-address.ts";
import { notSupported, SocketResource } from "./socket.ts";
import type { Network, SocketContext } from "./socket-context.ts";

type TcpState = "unbound" | "binding" | "bound" | "connecting" | "connected" | "closed";

const msPerNs = 1e-6;
const keepAliveIdleNsDefault = 7_200_000_000_000n;

/** The connection, apart from the object that the guest holds, so that it can be closed when that cannot be made. */
interface Held {
  socket?: Socket;
}

export class TcpSocket extends SocketResource {
  readonly #context: SocketContext;
  readonly #changed = new Signal();
  readonly #held: Held;
  #state: TcpState = "unbound";
  #error: Error | undefined;
  #receiving = true;
  #keepAlive = false;
  #keepAliveIdle = keepAliveIdleNsDefault;

  constructor(context: SocketContext, family: AddressFamily) {
    const held: Held = {};
    super(context, family, () => {
      if (held.socket !== undefined) closeSocket(context.scope, held.socket);
    });
    this.#context = context;
    this.#held = held;
  }

  startBind(_network: Network, local: IpSocketAddress): void {
    if (this.#state !== "unbound") throw new WasiError("invalid-state");
    this.checkLocal(local);
    this.#state = "binding";
  }

  finishBind(): void {
    if (this.#state !== "binding") throw new WasiError("not-in-progress");
    this.#state = "bound";
  }

  startConnect(_network: Network, remote: IpSocketAddress): void {
    if (this.#state !== "unbound" && this.#state !== "bound") throw new WasiError("invalid-state");
    const { address, port } = fromWasi(remote);
    if (remote.tag !== this.addressFamily() || port === 0) throw new WasiError("invalid-argument");
    if (!this.#context.access.mayReach("tcp", { address, port })) {
      this.scope.denied(`a TCP connection to ${address} port ${port}: see allowTcp`);
      throw new WasiError("access-denied");
    }
    this.#state = "connecting";
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    this.#held.socket = socket;
    this.scope.closing(closed(socket));
    socket.on("error", (error: Error) => {
      this.#error ??= error;
    });
    for (const event of ["connect", "error", "close"]) socket.on(event, this.#changed.fire);
  }

  finishConnect(): [InputStream, OutputStream] {
    const { socket } = this.#held;
    if (this.#state !== "connecting" || socket === undefined)
      throw new WasiError("not-in-progress");
    if (this.#error !== undefined) {
      this.#state = "closed";
      throw new WasiError(socketErrorCode(this.#error), { cause: this.#error });
    }
    if (socket.connecting) throw new WasiError("would-block");
    this.#state = "connected";
    this.#applyKeepAlive();
    return this.#streams(socket);
  }

  startListen(): never {
    throw new WasiError("access-denied");
  }

  finishListen(): never {
    throw new WasiError("not-in-progress");
  }

  accept(): never {
    throw new WasiError("invalid-state");
  }

  localAddress(): IpSocketAddress {
    const { localAddress, localPort } = this.#connected();
    return toWasi({ address: localAddress ?? "", port: localPort ?? 0 });
  }

  remoteAddress(): IpSocketAddress {
    const { remoteAddress, remotePort } = this.#connected();
    if (remoteAddress === undefined) throw new WasiError("invalid-state");
    return toWasi({ address: remoteAddress, port: remotePort ?? 0 });
  }

  isListening(): boolean {
    return false;
  }

  setListenBacklogSize(): never {
    throw notSupported();
  }

  keepAliveEnabled(): boolean {
    return this.#keepAlive;
  }

  setKeepAliveEnabled(enabled: boolean): void {
    this.#keepAlive = enabled;
    this.#applyKeepAlive();
  }

  keepAliveIdleTime(): bigint {
    return this.#keepAliveIdle;
  }

  setKeepAliveIdleTime(ns: bigint): void {
    if (ns === 0n) throw new WasiError("invalid-argument");
    this.#keepAliveIdle = ns;
    this.#applyKeepAlive();
  }

  keepAliveInterval(): never {
    throw notSupported();
  }

  setKeepAliveInterval(): never {
    throw notSupported();
  }

  keepAliveCount(): never {
    throw notSupported();
  }

  setKeepAliveCount(): never {
    throw notSupported();
  }

  hopLimit(): never {
    throw notSupported();
  }

  setHopLimit(): never {
    throw notSupported();
  }

  subscribe(): Pollable {
    const { socket } = this.#held;
    return new Pollable(this.scope, {
      ready: () => socket === undefined || !socket.connecting,
      listen: this.#changed.listen,
    });
  }

  shutdown(type: "receive" | "send" | "both"): void {
    const socket = this.#connected();
    if (type !== "receive") socket.end();
    if (type !== "send") this.#receiving = false;
  }

  #connected(): Socket {
    const { socket } = this.#held;
    if (this.#state !== "connected" || socket === undefined) throw new WasiError("invalid-state");
    return socket;
  }

  #applyKeepAlive(): void {
    this.#held.socket?.setKeepAlive(this.#keepAlive, Number(this.#keepAliveIdle) * msPerNs);
  }

  #streams(socket: Socket): [InputStream, OutputStream] {
    const options = { codeOf: socketErrorCode, close: () => {} };
    const source = readableSource(this.scope, socket, options);
    const read = (max: number): Uint8Array | Promise<Uint8Array> => {
      if (!this.#receiving) throw closedStream();
      return source.read(max);
    };
    const input = new InputStream(this.scope, { ...source, read });
    return [input, new OutputStream(this.scope, writableSink(this.scope, socket, options))];
  }
}

/** What is on its way out when the guest drops a socket is still sent; a guest that ends takes it along. */
class Lingering extends Resource {}

function closeSocket(scope: Scope, socket: Socket): void {
  if (scope.ended || socket.writableLength === 0 || socket.connecting) {
    socket.destroy();
    return;
  }
  socket.destroySoon();
  const lingering = new Lingering(scope, () => socket.destroy());
  socket.once("close", () => lingering[Symbol.dispose]());
}
