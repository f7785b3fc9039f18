/**
 * `wasi:http`: requests to the origins a guest was allowed, and no others. Incoming requests are not served.
 *
 * @module
 */
import type { AccessTable } from "../net/access-policy.ts";
import type { Resolver } from "../net/resolver.ts";
import { Resource, type Scope } from "../scope.ts";
import type { IoError } from "../streams.ts";
import { WasiError, WasiTrapError } from "../wasi-errors.ts";
import { Exchange, type HttpClient } from "./exchange.ts";
import { checkedFields, type Field, FieldsBase } from "./fields.ts";
import { HttpFailure } from "./http-error.ts";
import type { HttpLimits } from "./http-limits.ts";
import {
  FutureIncomingResponse,
  FutureTrailers,
  IncomingBody,
  type IncomingContext,
  IncomingResponse,
} from "./incoming.ts";
import { OutgoingBody, OutgoingRequestBase, RequestOptionsBase } from "./outgoing.ts";

/** What a guest may do over HTTP. */
export interface HttpOptions {
  readonly origins: AccessTable;
  readonly limits: HttpLimits;
  readonly resolve: Resolver;
}

/** Never made: Coppice calls exports of a component, it does not serve HTTP with it. */
class IncomingRequest extends Resource {}
class ResponseOutparam extends Resource {}

/** The interfaces by name. */
export function http(scope: Scope, options: HttpOptions): Record<string, object> {
  const client: HttpClient = { ...options, active: new Set() };
  const { limits } = options;
  const classes = classesOf(scope, limits);
  const context: IncomingContext = {
    scope,
    bodyBytesMax: limits.responseBytesMax,
    fields: (entries) => new classes.Fields(entries, true),
  };
  return {
    "wasi:http/types": {
      ...classes,
      FutureIncomingResponse,
      FutureTrailers,
      IncomingBody,
      IncomingRequest,
      IncomingResponse,
      OutgoingBody,
      ResponseOutparam,
      httpErrorCode: (error: IoError) =>
        typeof error.code === "object" && error.code !== null ? error.code : undefined,
    },
    "wasi:http/outgoing-handler": {
      handle: (request: OutgoingRequestBase, requestOptions: RequestOptionsBase | undefined) => {
        try {
          const exchange = new Exchange(scope, client, request, requestOptions);
          return new FutureIncomingResponse(context, exchange);
        } catch (thrown) {
          if (!(thrown instanceof HttpFailure)) throw thrown;
          if (thrown.code.tag === "HTTP-request-denied")
            scope.denied(`an HTTP request to ${request.authority()}: see allowHttp`);
          throw new WasiError(thrown.code, { cause: thrown });
        } finally {
          requestOptions?.[Symbol.dispose]();
          request[Symbol.dispose]();
        }
      },
    },
  };
}

/** What guests make themselves: classes bound to their scope. */
function classesOf(scope: Scope, limits: HttpLimits) {
  class Fields extends FieldsBase {
    constructor(entries: readonly Field[] = [], immutable = false) {
      super(scope, entries, immutable);
    }
    static fromList(entries: readonly Field[]): Fields {
      return new Fields(checkedFields(entries));
    }
    clone(): Fields {
      return new Fields(this.entries());
    }
  }
  class OutgoingRequest extends OutgoingRequestBase {
    constructor(headers: FieldsBase) {
      super(scope, headers, limits.requestBytesMax);
    }
    headers(): Fields {
      return new Fields(this.fields, true);
    }
  }
  class RequestOptions extends RequestOptionsBase {
    constructor() {
      super(scope);
    }
  }
  class OutgoingResponse extends Resource {
    constructor() {
      super(scope);
      throw new WasiTrapError("a component that Coppice runs has no request to respond to");
    }
  }
  return { Fields, OutgoingRequest, OutgoingResponse, RequestOptions };
}
