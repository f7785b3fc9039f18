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
    super(
      `the NATS server at ${servers.join(", ")} refused the credentials, or wants some: check COPPICE_USER, COPPICE_TOKEN, COPPICE_NKEY_FILE or COPPICE_CREDS_FILE (docs/nats.md)`,
      options,
    );
  }
}

/** The server is not trusted, or does not trust this node: a matter of certificates. */
export class NatsTlsError extends CoppiceError {
  static {
    this.prototype.name = "NatsTlsError";
  }
  readonly code = "nats_tls";

  constructor(servers: readonly string[], why: string, options?: ErrorOptions) {
    super(
      `no secure connection to the NATS server at ${servers.join(", ")}: ${why}; check the certificates of both sides`,
      options,
    );
  }
}

/** Credentials that cannot be read. */
export class BadCredentialsError extends CoppiceError {
  static {
    this.prototype.name = "BadCredentialsError";
  }
  readonly code = "bad_credentials";
}

/** The server does not let this node publish or subscribe where it must. The connection is closed. */
export class NatsPermissionError extends CoppiceError {
  static {
    this.prototype.name = "NatsPermissionError";
  }
  readonly code = "nats_permission";
  readonly operation: "publish" | "subscription";
  readonly subject: string;

  constructor(operation: "publish" | "subscription", subject: string, options?: ErrorOptions) {
    const verb = operation === "publish" ? "publish to" : "subscribe to";
    super(
      `the NATS server does not let this node ${verb} ${subject}: correct its permissions (docs/nats.md lists them)`,
      options,
    );
    this.operation = operation;
    this.subject = subject;
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
      "the NATS server runs without JetStream: start it with -js or a jetstream block, and enable it for the account",
      options,
    );
  }
}

/** A bucket of that name is there and was made by somebody else, or by another version. */
export class ForeignBucketError extends CoppiceError {
  static {
    this.prototype.name = "ForeignBucketError";
  }
  readonly code = "foreign_bucket";
  readonly bucket: string;

  constructor(bucket: string, found: string, wanted: string, options?: ErrorOptions) {
    super(
      `the JetStream bucket ${bucket} is described as ${JSON.stringify(found)}, not as ${JSON.stringify(wanted)}: it is not Coppice's, or of another version; choose another cluster name, or delete it`,
      options,
    );
    this.bucket = bucket;
  }
}

/** The server lost writes that it had acknowledged, as it may in a power cut. The connection is closed. */
export class StoreRegressedError extends CoppiceError {
  static {
    this.prototype.name = "StoreRegressedError";
  }
  readonly code = "store_regressed";
  readonly stream: string;
  /** The latest revision that was seen before. */
  readonly seen: number;
  /** The latest one there is now; 0 if the bucket is gone. */
  readonly found: number;

  constructor(stream: string, seen: number, found: number, options?: ErrorOptions) {
    super(
      `the JetStream stream ${stream} went back from write ${seen} to ${found}: its server lost what it had acknowledged; start this node again, and expect epochs below those of before`,
      options,
    );
    this.stream = stream;
    this.seen = seen;
    this.found = found;
  }
}

/** A local server did not start. */
export class NatsServerError extends CoppiceError {
  static {
    this.prototype.name = "NatsServerError";
  }
  readonly code = "nats_server_failed";
}
