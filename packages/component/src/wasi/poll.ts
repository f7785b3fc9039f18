/**
 * Waiting for readiness: `wasi:io/poll`.
 *
 * @module
 */
import type { Cancel } from "@coppice/kernel";
import { type Listen, Resource, type Scope } from "./scope.ts";
import { WasiTrapError } from "./wasi-errors.ts";

/** The most pollables of one `poll`: a list may name one pollable any number of times. */
const pollablesMax = 10_000;

/** Something that is ready or will be. */
export interface Readiness {
  readonly ready: () => boolean;
  readonly listen: Listen;
}

/** Tells listeners that something changed. */
export class Signal {
  readonly #listeners = new Set<() => void>();

  readonly listen: Listen = (notify) => {
    const listener = (): void => notify(); // One entry each, also for the same function twice.
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly fire = (): void => {
    for (const listener of this.#listeners) listener();
  };
}

/** Ready now and for ever. */
export const alwaysReady: Readiness = { ready: () => true, listen: () => () => {} };

/** `wasi:io/poll.pollable`. */
export class Pollable extends Resource {
  readonly #readiness: Readiness;

  constructor(scope: Scope, readiness: Readiness) {
    super(scope);
    this.#readiness = readiness;
  }

  ready(): boolean {
    return this.#readiness.ready();
  }

  listen(notify: () => void): Cancel {
    return this.#readiness.listen(notify);
  }

  async block(): Promise<void> {
    await this.scope.turn();
    while (!this.ready()) await this.scope.wait((notify) => this.listen(notify));
  }
}

/** `wasi:io/poll.poll`: the places of those that are ready, at least one. */
export async function poll(pollables: readonly Pollable[]): Promise<number[]> {
  const [first] = pollables;
  if (first === undefined) throw new WasiTrapError("poll was called with an empty list");
  if (pollables.length > pollablesMax)
    throw new WasiTrapError(`poll was called with more than ${pollablesMax} pollables`);
  await first.scope.turn();
  for (;;) {
    const ready = pollables.flatMap((pollable, index) => (pollable.ready() ? [index] : []));
    if (ready.length > 0) return ready;
    await first.scope.wait((notify) => {
      const cancels = pollables.map((pollable) => pollable.listen(notify));
      return () => {
        for (const cancel of cancels) cancel();
      };
    });
  }
}
