/**
 * Requests as a guest makes them: `outgoing-request`, `outgoing-body`, `request-options` of `wasi:http/types`.
 *
 * @module
 */
import { METHODS } from "node:http";
import { PassThrough } from "node:stream";
import { writableSink } from "../net/node-streams.ts";
import { Resource, type Scope } from "../scope.ts";
import { chunkBytesMax, OutputStream, type Sink } from "../streams.ts";
import { WasiError } from "../wasi-errors.ts";
import type { Field, FieldsBase } from "./fields.ts";
import { HttpFailure, httpErrorCode } from "./http-error.ts";

/** WASI's `method`. */
export interface Method {
  readonly tag: string;
  readonly val?: string;
}

/** WASI's `scheme`. */
export interface Scheme {
  readonly tag: "HTTP" | "HTTPS" | "other";
  readonly val?: string;
}

const authorityPattern = /^[^/?#@\\\s]{1,512}$/;
const pathPattern = /^[/*][\x21-\x7e]*$/;
/** The longest path with query, in characters. */
const pathLengthMax = 8_192;

/** What a request starts with; all of it may be set. */
export class OutgoingRequestBase extends Resource {
  readonly fields: readonly Field[];
  #method: Method = { tag: "get" };
  #path: string | undefined;
  #scheme: Scheme | undefined;
  #authority: string | undefined;
  #body: OutgoingBody | undefined;
  readonly #bodyBytesMax: number;

  /** Takes the headers over. */
  constructor(scope: Scope, headers: FieldsBase, bodyBytesMax: number) {
    super(scope);
    this.fields = headers.entries();
    this.#bodyBytesMax = bodyBytesMax;
    headers[Symbol.dispose]();
  }

  /** The body, if the guest has asked for it. */
  get taken(): OutgoingBody | undefined {
    return this.#body;
  }

  body(): OutgoingBody {
    if (this.#body !== undefined) throw new WasiError(undefined);
    const bytesMax = this.#bodyBytesMax;
    try {
      const declared = declaredLength(this.fields);
      this.#body = new OutgoingBody(this.scope, { bytesMax, declared });
    } catch (thrown) {
      throw thrown instanceof HttpFailure ? new WasiError(undefined, { cause: thrown }) : thrown;
    }
    return this.#body;
  }

  method(): Method {
    return this.#method;
  }

  setMethod(method: Method): void {
    if (!METHODS.includes(methodName(method))) throw new WasiError(undefined);
    this.#method = method;
  }

  pathWithQuery(): string | undefined {
    return this.#path;
  }

  setPathWithQuery(path: string | undefined): void {
    if (path !== undefined && (path.length > pathLengthMax || !pathPattern.test(path)))
      throw new WasiError(undefined);
    this.#path = path;
  }

  scheme(): Scheme | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Scheme | undefined): void {
    this.#scheme = scheme;
  }

  authority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: string | undefined): void {
    if (authority !== undefined && !authorityPattern.test(authority))
      throw new WasiError(undefined);
    this.#authority = authority;
  }
}

/** The name of a method as it goes over the wire. */
export function methodName({ tag, val }: Method): string {
  return tag === "other" ? (val ?? "") : tag.toUpperCase();
}

/**
 * What `content-length` says; undefined if it is not there.
 *
 * @throws {HttpFailure} if it says nothing clear: two readers of such a request could see its end at different places.
 */
export function declaredLength(fields: readonly Field[]): number | undefined {
  const [first, ...rest] = fields.filter(([name]) => name === "content-length");
  if (first === undefined) return undefined;
  const text = new TextDecoder("latin1").decode(first[1]);
  if (rest.length > 0 || !/^\d{1,15}$/.test(text))
    throw new HttpFailure({ tag: "HTTP-protocol-error" });
  return Number(text);
}

interface BodyOptions {
  readonly bytesMax: number;
  /** What the request's `content-length` says. */
  readonly declared: number | undefined;
}

/** A request's body on its way out. Dropped without `finish`, the request fails rather than look complete. */
export class OutgoingBody extends Resource {
  /** What the guest has written, to be sent. */
  readonly stream: PassThrough;
  readonly declared: number | undefined;
  readonly #bytesMax: number;
  #trailers: readonly Field[] = [];
  #written = 0;
  #asked = false;

  constructor(scope: Scope, { bytesMax, declared }: BodyOptions) {
    const stream = new PassThrough({ highWaterMark: chunkBytesMax });
    stream.on("error", () => {}); // Its failures are read from the sink and by the exchange.
    super(scope, () => {
      if (!stream.writableEnded) stream.destroy(new HttpFailure({ tag: "HTTP-protocol-error" }));
    });
    this.stream = stream;
    this.declared = declared;
    this.#bytesMax = bytesMax;
  }

  get trailers(): readonly Field[] {
    return this.#trailers;
  }

  write(): OutputStream {
    if (this.#asked) throw new WasiError(undefined);
    this.#asked = true;
    const sink = writableSink(this.scope, this.stream, { codeOf: httpErrorCode, close: () => {} });
    const counted: Sink = { ...sink, write: (bytes) => this.#counted(sink, bytes) };
    return new OutputStream(this.scope, counted);
  }

  static finish(body: OutgoingBody, trailers: FieldsBase | undefined): void {
    body.#trailers = trailers?.entries() ?? [];
    trailers?.[Symbol.dispose]();
    const { declared } = body;
    if (declared !== undefined && declared !== body.#written) {
      body[Symbol.dispose]();
      throw new WasiError({ tag: "HTTP-request-body-size", val: BigInt(body.#written) });
    }
    body.stream.end();
    body[Symbol.dispose]();
  }

  #counted(sink: Sink, bytes: Uint8Array): void | Promise<void> {
    this.#written += bytes.length;
    const most = Math.min(this.#bytesMax, this.declared ?? this.#bytesMax);
    if (this.#written > most)
      this.stream.destroy(new HttpFailure({ tag: "HTTP-request-body-size", val: BigInt(most) }));
    return sink.write(bytes);
  }
}

const nsPerMs = 1_000_000;

/** Timeouts of one request, as a guest sets them. They can only shorten what the host allows. */
export class RequestOptionsBase extends Resource {
  #connect: bigint | undefined;
  #firstByte: bigint | undefined;

  get connectTimeoutMs(): number | undefined {
    return this.#connect === undefined ? undefined : Number(this.#connect) / nsPerMs;
  }

  get firstByteTimeoutMs(): number | undefined {
    return this.#firstByte === undefined ? undefined : Number(this.#firstByte) / nsPerMs;
  }

  connectTimeout(): bigint | undefined {
    return this.#connect;
  }

  setConnectTimeout(ns: bigint | undefined): void {
    this.#connect = ns;
  }

  firstByteTimeout(): bigint | undefined {
    return this.#firstByte;
  }

  setFirstByteTimeout(ns: bigint | undefined): void {
    this.#firstByte = ns;
  }

  betweenBytesTimeout(): bigint | undefined {
    return undefined;
  }

  /** Not supported: the host limits the whole exchange. */
  setBetweenBytesTimeout(ns: bigint | undefined): void {
    if (ns !== undefined) throw new WasiError(undefined);
  }
}
