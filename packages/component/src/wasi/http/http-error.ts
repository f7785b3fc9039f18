/**
 * WASI's `error-code` of `wasi:http`: what a guest is told when a request fails.
 *
 * @module
 */
import { errnoCode } from "../files/file-error.ts";

/** The variant: `tag` is WIT's name of the case. */
export interface HttpErrorCode {
  readonly tag: string;
  readonly val?: unknown;
}

/** A request that cannot be made or did not come through. `code` is for the guest. */
export class HttpFailure extends Error {
  readonly code: HttpErrorCode;

  constructor(code: HttpErrorCode, options?: ErrorOptions) {
    super(`http: ${code.tag}`, options);
    this.code = code;
  }
}

const byErrno: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-terminated",
  EPIPE: "connection-terminated",
  ETIMEDOUT: "connection-timeout",
  EHOSTUNREACH: "destination-unavailable",
  ENETUNREACH: "destination-IP-unroutable",
};

/** The code for what Node says. Nothing else of the message reaches the guest. */
export function httpErrorCode(thrown: unknown): HttpErrorCode {
  if (thrown instanceof HttpFailure) return thrown.code;
  if (thrown instanceof AggregateError && thrown.errors.length > 0)
    return httpErrorCode(thrown.errors[0]);
  const code = errnoCode(thrown) ?? (thrown as { code?: unknown } | undefined)?.code;
  if (typeof code !== "string") return { tag: "internal-error", val: undefined };
  const known = byErrno[code];
  if (known !== undefined) return { tag: known };
  if (code === "HPE_HEADER_OVERFLOW") return { tag: "HTTP-response-header-section-size" };
  if (code.startsWith("HPE_")) return { tag: "HTTP-protocol-error" };
  if (/^(?:CERT_|ERR_TLS_|DEPTH_|UNABLE_TO_|SELF_SIGNED_|HOSTNAME_)/.test(code))
    return { tag: "TLS-certificate-error" };
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") return { tag: "TLS-protocol-error" };
  return { tag: "internal-error", val: undefined };
}
