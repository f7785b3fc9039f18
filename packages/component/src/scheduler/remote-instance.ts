/**
 * An instance on another thread, as the node sees it.
 *
 * @module
 */
import { InstanceDeadError, TrapError } from "../errors.ts";
import { type Logger, silentLogger } from "@coppice/kernel";
import type { HostFunction } from "../host-imports.ts";
import type { Instance, InstanceOptions } from "../instance.ts";
import { GuestExitError } from "../wasi/wasi-errors.ts";
import { errorFromData, errorToData } from "./error-data.ts";
import type { FromThread, ToThread } from "./thread-protocol.ts";

/** What an instance on another thread is made with. */
export interface RemoteOptions extends InstanceOptions {
  /** Told if the thread ends under it. */
  readonly onLost: (error: Error) => void;
}

/** What of that is used on the node. */
interface NodeSide extends Pick<RemoteOptions, "onOutput" | "onLost"> {
  readonly imports: ReadonlyMap<string, HostFunction>;
  readonly logger?: Logger;
}

/** How many calls are under way to one instance before the next waits in its process's mailbox. */
const callsAtOnceMax = 256;

export class RemoteInstance implements Instance {
  readonly callsAtOnce = callsAtOnceMax;
  readonly #id: number;
  readonly #post: (message: ToThread) => void;
  readonly #options: NodeSide;
  readonly #closed: () => void;
  readonly #opened = Promise.withResolvers<undefined>();
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #lastRequest = 0;
  #running = "?";
  #dead: Error | undefined;
  /** These two as of its last answer. */
  cpuMs = 0;
  handles = 0;

  constructor(
    id: number,
    options: NodeSide,
    to: { readonly post: (message: ToThread) => void; readonly closed: () => void },
  ) {
    this.#id = id;
    this.#options = options;
    this.#post = to.post;
    this.#closed = to.closed;
    this.#opened.promise.catch(() => {}); // Whoever opens it waits for it.
  }

  /** Settles when the thread has made the instance, or could not. */
  get opened(): Promise<undefined> {
    return this.#opened.promise;
  }

  /** As `ComponentInstance.call`, with the same errors. */
  call(name: string, args: readonly unknown[]): Promise<unknown> {
    return this.#ask(name, (request) => ["call", this.#id, request, name, ...args]);
  }

  /** As `ComponentInstance.save`, with the same errors. */
  async save(): Promise<Uint8Array> {
    const saved = await this.#ask("save", (request) => ["save", this.#id, request]);
    return saved as Uint8Array;
  }

  /** As `ComponentInstance.load`, with the same errors. */
  async load(snapshot: Uint8Array): Promise<void> {
    await this.#ask("load", (request) => ["load", this.#id, request, snapshot]);
  }

  #ask(name: string, message: (request: number) => ToThread): Promise<unknown> {
    if (this.#dead !== undefined)
      return Promise.reject(new InstanceDeadError({ cause: this.#dead }));
    this.#lastRequest += 1;
    this.#running = name;
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(this.#lastRequest, call);
    this.#post(message(this.#lastRequest));
    return call.promise;
  }

  die(thrown: unknown): Error {
    if (this.#dead !== undefined) return this.#dead;
    this.#post(["die", this.#id, errorToData(thrown)]);
    return this.#end(thrown);
  }

  /** For its thread: the thread ended. */
  lost(error: Error): void {
    if (this.#dead !== undefined) return;
    this.#end(error);
    this.#options.onLost(error);
  }

  /** For its thread. */
  receive(message: FromThread): void {
    switch (message[0]) {
      case "opened":
        this.#opened.resolve(undefined);
        return;
      case "refused":
        this.#opened.reject(this.#end(errorFromData(message[2])));
        return;
      case "answer":
        this.cpuMs = message[4];
        this.handles = message[5];
        this.#settle(message[2])?.resolve(message[3]);
        return;
      case "failure":
        this.cpuMs = message[4];
        this.handles = message[5];
        this.#settle(message[2])?.reject(errorFromData(message[3]));
        return;
      case "import":
        void this.#hostCall(message[2], message[3], message.slice(4));
        return;
      case "output":
        this.#options.onOutput(message[2], message[3]);
        return;
      case "log": {
        const { logger = silentLogger } = this.#options;
        logger[message[2]](message[3], message[4]);
      }
    }
  }

  /** For its thread: a message holds what cannot cross threads. */
  refused(message: ToThread, error: Error): void {
    if (message[0] === "call" || message[0] === "load") this.#settle(message[2])?.reject(error);
    else if (message[0] === "open") this.#opened.reject(this.#end(error));
    else if (message[0] === "returned")
      this.#post(["threw", this.#id, message[2], errorToData(error)]);
  }

  #settle(request: number): PromiseWithResolvers<unknown> | undefined {
    const call = this.#calls.get(request);
    this.#calls.delete(request);
    return call;
  }

  #end(thrown: unknown): Error {
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
    const details = { function: this.#running, arguments: [], stack: [], stderr: [] };
    this.#dead =
      cause instanceof TrapError || cause instanceof GuestExitError
        ? cause
        : new TrapError(cause.message, details, { cause });
    this.#closed();
    this.#opened.reject(cause);
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(this.#dead);
    return this.#dead;
  }

  async #hostCall(request: number, name: string, args: readonly unknown[]): Promise<void> {
    let message: ToThread;
    try {
      const host = this.#options.imports.get(name) as (...each: readonly unknown[]) => unknown;
      message = ["returned", this.#id, request, await host(...args)];
    } catch (thrown) {
      message = ["threw", this.#id, request, errorToData(thrown)];
    }
    if (this.#dead === undefined) this.#post(message);
  }
}
