/**
 * A typed way to call one gen-server: arguments and results are inferred from its class.
 *
 * @module
 */
import type { CallOptions, Delivery, Kernel, Pid } from "@coppice/kernel";
import type { GenServer } from "./gen-server.ts";
import { request, type Request } from "./requests.ts";

/** The methods of `T` that other processes may call, with what a caller gets: no callbacks, no names that start with `_`. */
export type Callable<T> = {
  [
    K in Exclude<keyof T, keyof GenServer | `_${string}`> as T[K] extends (
      ...args: never[]
    ) => unknown
      ? K
      : never
  ]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Awaited<R> : never;
};

type Method<T> = keyof Callable<T> & string;
type Args<T, K extends keyof Callable<T>> = Callable<T>[K] extends (...args: infer A) => unknown
  ? A
  : never;
type Result<T, K extends keyof Callable<T>> = Callable<T>[K] extends (...args: never[]) => infer R
  ? R
  : never;

/** A gen-server by pid, which ends with the process, or by local name, which is looked up for every message (A5.3). */
export class ServerRef<T> {
  readonly kernel: Kernel;
  readonly to: Pid | string;

  constructor(kernel: Kernel, to: Pid | string) {
    this.kernel = kernel;
    this.to = to;
  }

  /** Calls and waits. @throws {CallError} as `Kernel.call`. */
  call<K extends Method<T>>(
    method: K,
    args: Args<T, K>,
    options?: CallOptions,
  ): Promise<Result<T, K>> {
    return this.kernel.call(this.to, method, args, options) as Promise<Result<T, K>>;
  }

  /** Sends and does not wait; no server is not an error (B3.1). */
  cast<K extends Method<T>>(method: K, args: Args<T, K>): Delivery {
    return this.kernel.cast(this.to, method, args);
  }

  /** Calls, and lets the answer be waited for later (B3.4). */
  request<K extends Method<T>>(method: K, args: Args<T, K>): Request<Result<T, K>> {
    return request<Result<T, K>>(this.kernel, this.to, method, args);
  }
}
