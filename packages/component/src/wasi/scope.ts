/**
 * What one guest holds of its host: every handle, every wait, and the end of all of them.
 *
 * Invariants:
 *   S1. Everything opened for a guest is a `Resource` of its scope, so `dispose` releases all of it.
 *   S2. After `dispose` no wait is left hanging and none begins.
 *   S3. A guest that never has to wait still lets the event loop turn.
 *   S4. A guest holds at most `handlesMax` handles.
 *
 * @module
 */
import type { Cancel, Clock, Logger, Random } from "@coppice/kernel";
import { HandleLimitError, WasiEndedError } from "./wasi-errors.ts";

/** The most handles (files, sockets, requests, pollables and the like) that one guest holds at once. */
export const handlesMax = 10_000;
/** How many denials of one guest are logged. */
const denialsLoggedMax = 20;
/** How many waits may be over at once in a row before the event loop gets a turn. */
const immediateMax = 64;

/** What the host lends to a guest. */
export interface ScopeHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Calls `notify` once something may have changed; the returned function stops that. */
export type Listen = (notify: () => void) => Cancel;

/** What ends with the guest. jco calls `Symbol.dispose` when the guest drops its handle. */
export abstract class Resource implements Disposable {
  readonly scope: Scope;
  readonly #release: () => void;
  #open = true;

  /**
   * `release` gives back what the resource holds: called once, also if there can be no more resources.
   *
   * @throws {WasiEndedError} {HandleLimitError}
   */
  constructor(scope: Scope, release: () => void = () => {}) {
    this.scope = scope;
    this.#release = release;
    try {
      scope.opened(this);
    } catch (thrown) {
      release();
      throw thrown;
    }
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.scope.closed(this);
    this.#release();
  }
}

export class Scope {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly #handles = new Set<Resource>();
  readonly #waits = new Set<() => void>();
  readonly #closing = new Set<Promise<unknown>>();
  #immediate = 0;
  #denials = 0;
  #ended = false;

  constructor({ clock, random, logger }: ScopeHost) {
    this.clock = clock;
    this.random = random;
    this.logger = logger;
  }

  /** How many handles the guest holds. */
  get handles(): number {
    return this.#handles.size;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** For {@link Resource}. */
  opened(resource: Resource): void {
    if (this.#ended) throw new WasiEndedError();
    if (this.#handles.size >= handlesMax) throw new HandleLimitError(handlesMax); // S4
    this.#handles.add(resource);
  }

  /** For {@link Resource}. */
  closed(resource: Resource): void {
    this.#handles.delete(resource);
  }

  /** The guest asked for what it may not have: the operator should know, but not be flooded. */
  denied(what: string): void {
    this.#denials += 1;
    if (this.#denials > denialsLoggedMax) return;
    const last = this.#denials === denialsLoggedMax ? "; no more of its denials are logged" : "";
    this.logger.warn({ event: "wasi_denied", what }, `a component was denied ${what}${last}`);
  }

  /** Something is going on that `dispose` waits for; whether it fails is another's business. */
  async during<T>(work: Promise<T>): Promise<T> {
    const settled = Promise.allSettled([work]);
    this.#closing.add(settled);
    try {
      return await work;
    } finally {
      this.#closing.delete(settled);
    }
  }

  /** Something is being closed in the background: `dispose` waits for it. */
  closing(done: Promise<void>): void {
    const settled = done
      .catch((thrown: unknown) => {
        this.logger.warn(
          { event: "wasi_close_failed", error: String(thrown) },
          `a handle of a guest did not close cleanly: ${String(thrown)}`,
        );
      })
      .finally(() => this.#closing.delete(settled));
    this.#closing.add(settled);
  }

  /**
   * Waits until `listen` notifies.
   *
   * @throws {WasiEndedError} if the guest ends first.
   */
  wait(listen: Listen): Promise<void> {
    if (this.#ended) return Promise.reject(new WasiEndedError());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let cancel: Cancel | undefined;
    const abort = (): void => {
      cancel?.();
      reject(new WasiEndedError());
    };
    this.#waits.add(abort);
    cancel = listen(() => {
      this.#waits.delete(abort);
      cancel?.();
      resolve();
    });
    return promise;
  }

  /** Begins an operation that may be over at once: now and then the event loop gets a turn first (S3). */
  async turn(): Promise<void> {
    if (this.#ended) throw new WasiEndedError();
    this.#immediate += 1;
    if (this.#immediate < immediateMax) return;
    this.#immediate = 0;
    await this.wait((notify) => {
      this.clock.soon(notify);
      return () => {};
    });
  }

  /** Releases everything. Resolves when all of it is closed; never rejects. */
  async dispose(): Promise<void> {
    this.#ended = true;
    for (const abort of this.#waits) abort(); // S2
    this.#waits.clear();
    for (const handle of [...this.#handles].toReversed()) handle[Symbol.dispose](); // S1
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }
}
