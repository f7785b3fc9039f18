/**
 * A transport whose connection misbehaves: late, lost and doubled messages, cuts in one direction or both.
 *
 * It wraps any transport. What one connection sends and receives stays in order, as on a real one; between connections
 * the order changes with the delays. A cut is silent: the transport still says that it is connected.
 *
 * @module
 */
import type { Clock, Random } from "@coppice/kernel";
import {
  type Message,
  type PublishOptions,
  RequestTimeoutError,
  type Subscription,
  type Transport,
} from "@coppice/net";
import { fateOf, type LinkFaults, noFaults } from "./link-faults.ts";

/** A transport with faults in each direction, none at first. */
export interface FaultyTransport extends Transport {
  /** What happens to what this connection sends, from now on. */
  readonly setOut: (faults: Partial<LinkFaults>) => void;
  /** What happens to what it receives, from now on. */
  readonly setIn: (faults: Partial<LinkFaults>) => void;
}

export function faultyTransport(
  inner: Transport,
  options: { readonly clock: Clock; readonly random: Random },
): FaultyTransport {
  const out = new Direction(options);
  const into = new Direction(options);
  const { clock } = options;
  return {
    get hasOneServer() {
      return inner.hasOneServer;
    },
    get connected() {
      return inner.connected;
    },
    get payloadBytesMax() {
      return inner.payloadBytesMax;
    },
    publish: (subject: string, data: Uint8Array, more?: PublishOptions): void => {
      const copy = data.slice();
      out.pass(() => inner.publish(subject, copy, more));
    },
    subscribe: (pattern, onMessage, more): Subscription => {
      let wanted = true;
      const subscription = inner.subscribe(
        pattern,
        // The inner transport reports what is thrown, also when it is late.
        (message) =>
          new Promise((resolve) => {
            into.pass(() => resolve(Promise.try(() => (wanted ? onMessage(message) : undefined))));
          }),
        more,
      );
      return {
        unsubscribe: () => {
          wanted = false;
          subscription.unsubscribe();
        },
      };
    },
    request: (subject, data, { timeoutMs }): Promise<Message> => {
      const { promise, resolve, reject } = Promise.withResolvers<Message>();
      const stop = clock.after(timeoutMs, () =>
        reject(new RequestTimeoutError(subject, timeoutMs)),
      );
      const back = (settle: () => void): void => into.pass(settle);
      out.pass(() => {
        inner.request(subject, data, { timeoutMs }).then(
          (message) => back(() => resolve(message)),
          (thrown: unknown) => back(() => reject(thrown)),
        );
      });
      return promise.finally(stop);
    },
    flush: () => inner.flush(),
    onStatus: (observer) => inner.onStatus(observer),
    close: () => inner.close(),
    setOut: (faults) => out.set(faults),
    setIn: (faults) => into.set(faults),
  };
}

class Direction {
  readonly #clock: Clock;
  readonly #random: Random;
  #faults: LinkFaults = noFaults;
  /** When the last message passes: none may overtake it. */
  #lastMs = -Infinity;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  set(faults: Partial<LinkFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
  }

  pass(run: () => void): void {
    const { copies, delayMs } = fateOf(this.#faults, this.#random);
    if (copies === 0) return;
    const nowMs = this.#clock.now();
    const atMs = Math.max(this.#lastMs, nowMs + delayMs);
    this.#lastMs = atMs;
    for (let copy = 0; copy < copies; copy += 1) {
      if (atMs <= nowMs) run();
      else this.#clock.after(atMs - nowMs, run);
    }
  }
}
