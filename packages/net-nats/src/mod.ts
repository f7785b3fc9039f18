/**
 * NATS as the network, and JetStream as the store. The only package that imports the NATS client.
 *
 * @module
 */
export { type ConnectOptions, connectNats, type NatsNetwork } from "./connect.ts";
export {
  JetStreamDisabledError,
  NatsDeniedError,
  NatsServerError,
  NatsUnreachableError,
} from "./errors.ts";
export {
  findNatsServer,
  freePort,
  type LocalNatsServer,
  type LocalServerOptions,
  startNatsServer,
} from "./local-server.ts";
