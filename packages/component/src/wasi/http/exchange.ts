/**
 * One HTTP exchange: where the request may go is decided, the name is resolved once, and the connection goes to an
 * address that was looked at. A redirect is an answer like any other: the guest may ask again, and is checked again.
 *
 * @module
 */
import {
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Cancel } from "@coppice/kernel";
import { type Access, type AccessTable, allowedAddresses } from "../net/access-policy.ts";
import { closed } from "../net/node-streams.ts";
import type { Resolver } from "../net/resolver.ts";
import { Signal } from "../poll.ts";
import { Resource, type Scope } from "../scope.ts";
import { fieldsToNode } from "./fields.ts";
import { type HttpErrorCode, HttpFailure, httpErrorCode } from "./http-error.ts";
import type { HttpLimits } from "./http-limits.ts";
import {
  declaredLength,
  methodName,
  type OutgoingBody,
  type OutgoingRequestBase,
  type RequestOptionsBase,
} from "./outgoing.ts";

/** What one guest's exchanges have in common. */
export interface HttpClient {
  readonly origins: AccessTable;
  readonly limits: HttpLimits;
  readonly resolve: Resolver;
  /** Those that are not over. */
  readonly active: Set<Exchange>;
}

/** Where a request goes, and under which rule. */
interface Target {
  readonly url: URL;
  readonly access: Access;
}

/** How an exchange went, as far as the head of the response. */
export type ExchangeOutcome =
  | { readonly type: "response"; readonly response: IncomingMessage }
  | { readonly type: "failed"; readonly error: HttpErrorCode };

/**
 * Decides where a request may go.
 *
 * @throws {HttpFailure} if it may not go there.
 */
export function targetOf(origins: AccessTable, request: OutgoingRequestBase): Target {
  const scheme = request.scheme() ?? { tag: "HTTPS" };
  const authority = request.authority();
  if (scheme.tag === "other" || authority === undefined)
    throw new HttpFailure({ tag: "HTTP-request-URI-invalid" });
  const url = URL.parse(`${scheme.tag.toLowerCase()}://${authority}`);
  if (url === null) throw new HttpFailure({ tag: "HTTP-request-URI-invalid" });
  const access = origins.get(url.origin);
  if (access === undefined || request.method().tag === "connect")
    throw new HttpFailure({ tag: "HTTP-request-denied" });
  const declared = declaredLength(request.fields) ?? 0;
  if (declared > 0 && request.taken === undefined)
    throw new HttpFailure({ tag: "HTTP-request-body-size", val: 0n });
  return { url, access };
}

/** Runs from its making; shared by what the guest holds of it, and over when the last of them is dropped. */
export class Exchange extends Resource {
  readonly changed = new Signal();
  readonly #client: HttpClient;
  readonly #abort: AbortController;
  readonly #timers: Cancel[] = [];
  #outcome: ExchangeOutcome | undefined;
  #holders = 1;

  /** @throws {HttpFailure} if the request may not be made. */
  constructor(
    scope: Scope,
    client: HttpClient,
    request: OutgoingRequestBase,
    options: RequestOptionsBase | undefined,
  ) {
    const target = targetOf(client.origins, request);
    if (client.active.size >= client.limits.concurrentMax)
      throw new HttpFailure({ tag: "connection-limit-reached" });
    const abort = new AbortController();
    super(scope, () => abort.abort());
    this.#client = client;
    this.#abort = abort;
    client.active.add(this);
    abort.signal.addEventListener("abort", () => this.#over());
    this.#after(client.limits.timeoutMs, "HTTP-response-timeout");
    void this.#run(target, request, options);
  }

  get outcome(): ExchangeOutcome | undefined {
    return this.#outcome;
  }

  share(): this {
    this.#holders += 1;
    return this;
  }

  /** The last one ends it. */
  drop(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this[Symbol.dispose]();
  }

  /** Ends it with an error, also in the middle of the response. */
  fail(failure: HttpFailure): void {
    const before = this.#outcome;
    if (before?.type === "response") before.response.destroy(failure);
    else this.#settle({ type: "failed", error: failure.code });
    this.#abort.abort();
  }

  async #run(
    target: Target,
    request: OutgoingRequestBase,
    options: RequestOptionsBase | undefined,
  ): Promise<void> {
    try {
      const addresses = await this.#addresses(target);
      if (this.#abort.signal.aborted) return;
      this.#send(target, addresses, request, options);
    } catch (thrown) {
      this.fail(new HttpFailure(httpErrorCode(thrown), { cause: thrown }));
    }
  }

  async #addresses({ url, access }: Target): Promise<readonly string[]> {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    let found: readonly string[] = [host];
    if (isIP(host) === 0) {
      try {
        found = await this.#client.resolve(host);
      } catch (cause) {
        throw new HttpFailure({ tag: "DNS-error", val: {} }, { cause });
      }
    }
    const allowed = allowedAddresses(found, access);
    if (allowed.length === 0 && !this.scope.ended) {
      this.scope.denied(`an HTTP request to ${url.host}, which is at ${found.join(", ")}`);
      throw new HttpFailure({ tag: "destination-IP-prohibited" });
    }
    return allowed;
  }

  #send(
    { url }: Target,
    addresses: readonly string[],
    request: OutgoingRequestBase,
    options: RequestOptionsBase | undefined,
  ): void {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const wire: RequestOptions = {
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port,
      path: request.pathWithQuery() ?? "/",
      method: methodName(request.method()),
      headers: fieldsToNode(request.fields),
      agent: false, // No connection is shared or kept: none outlives the guest.
      lookup: pinned(addresses),
      signal: this.#abort.signal,
    };
    const sent = send(wire);
    this.scope.closing(closed(sent));
    const connecting = this.#after(options?.connectTimeoutMs, "connection-timeout");
    const answering = this.#after(options?.firstByteTimeoutMs, "connection-read-timeout");
    sent.on("socket", (socket) => socket.once("connect", connecting));
    sent.on("response", (response) => {
      answering();
      this.#answered(response);
    });
    sent.on("upgrade", () => this.fail(new HttpFailure({ tag: "HTTP-upgrade-failed" })));
    sent.on("error", (error) => this.fail(new HttpFailure(httpErrorCode(error), { cause: error })));
    sent.on("close", () => this.#over());
    sendBody(sent, request.taken);
    request.taken?.stream.on("error", (error) => sent.destroy(error));
  }

  #answered(response: IncomingMessage): void {
    response.on("error", () => {}); // Read from the body's stream.
    this.#settle({ type: "response", response });
  }

  #settle(outcome: ExchangeOutcome): void {
    this.#outcome ??= outcome;
    this.changed.fire();
  }

  #over(): void {
    for (const cancel of this.#timers.splice(0)) cancel();
    this.#client.active.delete(this);
  }

  #after(ms: number | undefined, tag: string): Cancel {
    if (ms === undefined) return () => {};
    const cancel = this.scope.clock.after(ms, () => this.fail(new HttpFailure({ tag })));
    this.#timers.push(cancel);
    return cancel;
  }
}

/** A name lookup that answers with addresses already looked at, so that no second answer can be different. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, all[0]!.address, all[0]!.family);
  };
}

function sendBody(sent: ClientRequest, body: OutgoingBody | undefined): void {
  if (body === undefined) {
    sent.end();
    return;
  }
  const { stream } = body;
  if (stream.errored !== null) {
    sent.destroy(stream.errored);
    return;
  }
  // Whether there is a body at all is known with its first byte or its end.
  stream.once("readable", () => {
    if (stream.readableLength > 0 && body.declared === undefined)
      sent.setHeader("transfer-encoding", "chunked");
    stream.on("end", () => {
      if (body.trailers.length > 0) sent.addTrailers(trailerPairs(body));
      sent.end();
    });
    stream.pipe(sent, { end: false });
  });
}

function trailerPairs({ trailers }: OutgoingBody): [string, string][] {
  return Object.entries(fieldsToNode(trailers)).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  );
}
