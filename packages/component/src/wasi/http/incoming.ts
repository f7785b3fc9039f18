/**
 * Responses as a guest sees them: `future-incoming-response`, `incoming-response`, `incoming-body` and
 * `future-trailers` of `wasi:http/types`.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { readableSource } from "../net/node-streams.ts";
import { Pollable } from "../poll.ts";
import { Resource, type Scope } from "../scope.ts";
import { failedStream, InputStream, type Source } from "../streams.ts";
import { WasiError } from "../wasi-errors.ts";
import type { Exchange } from "./exchange.ts";
import { type Field, type FieldsBase, fieldsFromRaw } from "./fields.ts";
import { HttpFailure, httpErrorCode } from "./http-error.ts";

/** What reading a response needs. */
export interface IncomingContext {
  readonly scope: Scope;
  readonly bodyBytesMax: number;
  /** Headers that the guest may only read. */
  readonly fields: (entries: readonly Field[]) => FieldsBase;
}

type Answer = { readonly tag: "ok"; readonly val: unknown } | { readonly tag: "err" };

export class FutureIncomingResponse extends Resource {
  readonly #context: IncomingContext;
  readonly #exchange: Exchange;
  #taken = false;

  /** Takes one holder's share of the exchange over. */
  constructor(context: IncomingContext, exchange: Exchange) {
    super(context.scope, () => exchange.drop());
    this.#context = context;
    this.#exchange = exchange;
  }

  subscribe(): Pollable {
    const exchange = this.#exchange;
    return new Pollable(this.scope, {
      ready: () => exchange.outcome !== undefined,
      listen: exchange.changed.listen,
    });
  }

  get(): Answer | undefined {
    const { outcome } = this.#exchange;
    if (outcome === undefined) return undefined;
    if (this.#taken) return { tag: "err" };
    this.#taken = true;
    if (outcome.type === "failed") return { tag: "ok", val: { tag: "err", val: outcome.error } };
    const exchange = this.#exchange.share();
    const response = new IncomingResponse(this.#context, exchange, outcome.response);
    return { tag: "ok", val: { tag: "ok", val: response } };
  }
}

export class IncomingResponse extends Resource {
  readonly #context: IncomingContext;
  readonly #exchange: Exchange;
  readonly #response: IncomingMessage;
  #consumed = false;

  constructor(context: IncomingContext, exchange: Exchange, response: IncomingMessage) {
    super(context.scope, () => exchange.drop());
    this.#context = context;
    this.#exchange = exchange;
    this.#response = response;
  }

  status(): number {
    return this.#response.statusCode ?? 0;
  }

  headers(): FieldsBase {
    return this.#context.fields(fieldsFromRaw(this.#response.rawHeaders));
  }

  consume(): IncomingBody {
    if (this.#consumed) throw new WasiError(undefined);
    this.#consumed = true;
    return new IncomingBody(this.#context, this.#exchange.share(), this.#response);
  }
}

export class IncomingBody extends Resource {
  readonly #context: IncomingContext;
  readonly #exchange: Exchange;
  readonly #response: IncomingMessage;
  #streamed = false;

  constructor(context: IncomingContext, exchange: Exchange, response: IncomingMessage) {
    super(context.scope, () => exchange.drop());
    this.#context = context;
    this.#exchange = exchange;
    this.#response = response;
  }

  stream(): InputStream {
    if (this.#streamed) throw new WasiError(undefined);
    this.#streamed = true;
    return new InputStream(this.scope, this.#source());
  }

  /** A body that was not read to its end is cut off there; its trailers are none. */
  static finish(body: IncomingBody): FutureTrailers {
    const trailers = new FutureTrailers(body.#context, body.#response);
    body[Symbol.dispose]();
    return trailers;
  }

  #source(): Source {
    const { scope, bodyBytesMax } = this.#context;
    const exchange = this.#exchange.share();
    const source = readableSource(scope, this.#response, {
      codeOf: httpErrorCode,
      close: () => exchange.drop(),
    });
    let bytes = 0;
    return {
      ...source,
      read: async (max) => {
        const part = await source.read(max);
        bytes += part.length;
        if (bytes <= bodyBytesMax) return part;
        const failure = new HttpFailure({
          tag: "HTTP-response-body-size",
          val: BigInt(bodyBytesMax),
        });
        exchange.fail(failure);
        throw failedStream(scope, failure.message, failure.code);
      },
    };
  }
}

export class FutureTrailers extends Resource {
  readonly #context: IncomingContext;
  readonly #response: IncomingMessage;
  #taken = false;

  constructor(context: IncomingContext, response: IncomingMessage) {
    super(context.scope);
    this.#context = context;
    this.#response = response;
  }

  subscribe(): Pollable {
    return new Pollable(this.scope, { ready: () => true, listen: () => () => {} });
  }

  get(): Answer {
    if (this.#taken) return { tag: "err" };
    this.#taken = true;
    const { rawTrailers, complete } = this.#response;
    const trailers =
      complete && rawTrailers.length > 0
        ? this.#context.fields(fieldsFromRaw(rawTrailers))
        : undefined;
    return { tag: "ok", val: { tag: "ok", val: trailers } };
  }
}
