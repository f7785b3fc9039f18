/**
 * NATS as the network, and JetStream as the store. The only package that imports the NATS client.
 *
 * @module
 */
export { type ConnectOptions, connectNats, type NatsNetwork } from "./connect.ts";
export type { Credentials, TlsFiles } from "./credentials.ts";
export {
  BadCredentialsError,
  ForeignBucketError,
  JetStreamDisabledError,
  NatsDeniedError,
  NatsPermissionError,
  NatsServerError,
  NatsTlsError,
  NatsUnreachableError,
  StoreRegressedError,
} from "./errors.ts";
export type { StoreOptions } from "./kv-store.ts";
export {
  findNatsServer,
  freePort,
  type LocalNatsServer,
  type LocalServerOptions,
  startNatsServer,
} from "./local-server.ts";
