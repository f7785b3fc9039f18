/**
 * Calls whose answers are waited for later, one by one or as a collection (B3.4).
 *
 * A plain promise of `Kernel.call` serves where the answer is awaited once. These serve where a wait may end before the answer.
 *
 * @module
 */
import type { CallError, Kernel, Pid } from "@coppice/kernel";

/** What came of a request. */
export type Response<R> =
  | { readonly type: "reply"; readonly value: R }
  | { readonly type: "error"; readonly error: CallError };

/** A call that is under way. It has no deadline of its own: it ends with the callee, or when it is abandoned. */
export interface Request<R> {
  /** Waits at most `timeoutMs` milliseconds. Undefined: no answer yet; the request is kept, and may be waited for again. */
  readonly wait: (timeoutMs: number) => Promise<Response<R> | undefined>;
  /** As `wait`; without an answer in time the request is abandoned: a later answer is dropped, later waits say so at once. */
  readonly receive: (timeoutMs: number) => Promise<Response<R> | undefined>;
}

/** Sends a request. That there is no such process is an error response, not a throw. @throws {NotPlainDataError} */
export function request<R = unknown>(
  kernel: Kernel,
  to: Pid | string,
  method: string,
  args: readonly unknown[],
): Request<R> {
  const answer: Promise<Response<R>> = kernel.call(to, method, args, { timeoutMs: Infinity }).then(
    (value) => ({ type: "reply", value: value as R }) as const,
    (thrown: unknown) => ({ type: "error", error: thrown as CallError }) as const,
  );
  let abandoned = false;
  const wait = async (timeoutMs: number): Promise<Response<R> | undefined> => {
    if (abandoned) return undefined;
    return firstOf(kernel, answer, timeoutMs);
  };
  const receive = async (timeoutMs: number): Promise<Response<R> | undefined> => {
    const response = await wait(timeoutMs);
    abandoned = true;
    return response;
  };
  return { wait, receive };
}

/** Requests with labels: each answer is handed out once. */
export class RequestCollection<L, R = unknown> {
  readonly #kernel: Kernel;
  readonly #pending = new Map<number, Promise<readonly [number, L, Response<R>]>>();
  #ids = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get size(): number {
    return this.#pending.size;
  }

  add(label: L, pending: Request<R>): void {
    this.#ids += 1;
    const id = this.#ids;
    const response = pending.wait(Infinity).then((each) => [id, label, each!] as const);
    this.#pending.set(id, response);
  }

  /** The next answer, whichever comes first. `no_request`: none is pending. Undefined: none came in time. */
  async next(
    timeoutMs: number,
  ): Promise<{ readonly label: L; readonly response: Response<R> } | "no_request" | undefined> {
    if (this.#pending.size === 0) return "no_request";
    const first = await firstOf(this.#kernel, Promise.race(this.#pending.values()), timeoutMs);
    if (first === undefined) return undefined;
    const [id, label, response] = first;
    this.#pending.delete(id);
    return { label, response };
  }
}

/** The promise's value, or undefined when the time is up. The timer ends with the wait. */
async function firstOf<T>(
  { clock }: Kernel,
  promise: Promise<T>,
  timeoutMs: number,
): Promise<T | undefined> {
  if (timeoutMs === Infinity) return promise;
  const timeUp = Promise.withResolvers<undefined>();
  const cancel = clock.after(timeoutMs, () => timeUp.resolve(undefined));
  try {
    return await Promise.race([promise, timeUp.promise]);
  } finally {
    cancel();
  }
}
