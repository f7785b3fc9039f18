/**
 * Why a NATS server cannot be used.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** No server of the list answered. */
export class NatsUnreachableError extends CoppiceError {
  static {
    this.prototype.name = "NatsUnreachableError";
  }
  readonly code = "nats_unreachable";
  readonly servers: readonly string[];

  constructor(servers: readonly string[], options?: ErrorOptions) {
    super(
      `no NATS server answers at ${servers.join(", ")}: start one, or name another (--servers, COPPICE_SERVERS)`,
      options,
    );
    this.servers = servers;
  }
}

/** The server refused the credentials. */
export class NatsDeniedError extends CoppiceError {
  static {
    this.prototype.name = "NatsDeniedError";
  }
  readonly code = "nats_denied";

  constructor(servers: readonly string[], options?: ErrorOptions) {
    super(`the NATS server at ${servers.join(", ")} refused the credentials: check them`, options);
  }
}

/** The server runs without JetStream, which holds the names of a cluster. */
export class JetStreamDisabledError extends CoppiceError {
  static {
    this.prototype.name = "JetStreamDisabledError";
  }
  readonly code = "jetstream_disabled";

  constructor(options?: ErrorOptions) {
    super(
      "the NATS server runs without JetStream: start it with -js or a jetstream block",
      options,
    );
  }
}

/** A local server did not start. */
export class NatsServerError extends CoppiceError {
  static {
    this.prototype.name = "NatsServerError";
  }
  readonly code = "nats_server_failed";
}
