/**
 * `wasi:sockets`: TCP and UDP to the endpoints a guest was allowed, and no others.
 *
 * @module
 */
import type { Resolver } from "../net/resolver.ts";
import type { Scope } from "../scope.ts";
import type { IoError } from "../streams.ts";
import { nameLookup } from "./name-lookup.ts";
import { SocketAccess, type SocketRules } from "./socket-access.ts";
import type { AddressFamily } from "./socket-address.ts";
import { Network, SocketContext } from "./socket-context.ts";
import { TcpSocket } from "./tcp.ts";
import { IncomingDatagramStream, OutgoingDatagramStream, UdpSocket } from "./udp.ts";

/** The interfaces by name. */
export function sockets(
  scope: Scope,
  rules: SocketRules,
  resolve: Resolver,
): Record<string, object> {
  const context = new SocketContext(scope, new SocketAccess(rules), resolve);
  return {
    "wasi:sockets/instance-network": { instanceNetwork: () => new Network(scope) },
    "wasi:sockets/network": {
      Network,
      networkErrorCode: (error: IoError) =>
        typeof error.code === "string" ? error.code : undefined,
    },
    "wasi:sockets/ip-name-lookup": nameLookup(context),
    "wasi:sockets/tcp": { TcpSocket },
    "wasi:sockets/tcp-create-socket": {
      createTcpSocket: (family: AddressFamily) => new TcpSocket(context, family),
    },
    "wasi:sockets/udp": { UdpSocket, IncomingDatagramStream, OutgoingDatagramStream },
    "wasi:sockets/udp-create-socket": {
      createUdpSocket: (family: AddressFamily) => new UdpSocket(context, family),
    },
  };
}
