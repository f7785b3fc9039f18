/**
 * Locks by key: at most one function runs under a key at a time, the others wait in the order they came (D1.8).
 *
 * Invariants:
 *   L1. A lock is let go exactly once: when its function has settled, or when the process it was taken for has ended.
 *   L2. Who waits leaves the queue with its lock, at its deadline, with its process, or with the registry.
 *
 * @module
 */
import type { Kernel, Pid } from "@coppice/kernel";
import { LockBusyError, UnknownRegistryError } from "./registry-errors.ts";
import type { KeyId } from "./registry-key.ts";

/** How long to wait for a lock unless it is said otherwise, in milliseconds. */
export const lockTimeoutMsDefault = 5_000;
/** The most that may wait for one lock. */
export const lockWaitersMax = 10_000;

/** How to take a lock. */
export interface LockOptions {
  /** The process it is taken for: when it ends, the lock is let go, even while the function still runs. */
  readonly self?: { readonly pid: Pid };
  /** How long to wait for it, in milliseconds. `Infinity` waits without limit. Default: 5_000. */
  readonly timeoutMs?: number;
}

interface Waiter {
  readonly grant: () => void;
  readonly refuse: (error: Error) => void;
}

/** The locks of one registry. */
export class KeyLocks {
  readonly #kernel: Kernel;
  readonly #registry: string;
  /** Who waits for each lock that is held. */
  #held = new Map<KeyId, Set<Waiter>>();

  constructor(kernel: Kernel, registry: string) {
    this.#kernel = kernel;
    this.#registry = registry;
  }

  /** Locks that are held. */
  get size(): number {
    return this.#held.size;
  }

  async run<T>(id: KeyId, work: () => T | Promise<T>, options: LockOptions): Promise<T> {
    const release = await this.#acquire(id, options);
    const unwatch =
      options.self === undefined ? undefined : this.#kernel.monitor(options.self.pid, release);
    try {
      return await work();
    } finally {
      unwatch?.();
      release();
    }
  }

  /** Refuses everybody who waits: the registry has ended. */
  close(): void {
    const held = this.#held;
    this.#held = new Map();
    for (const waiters of held.values())
      for (const waiter of waiters) waiter.refuse(new UnknownRegistryError(this.#registry));
  }

  async #acquire(id: KeyId, options: LockOptions): Promise<() => void> {
    const held = this.#held; // A later life of the registry has locks of its own.
    const waiters = held.get(id);
    if (waiters === undefined) held.set(id, new Set());
    else await this.#wait(waiters, options);
    let isHeld = true;
    return () => {
      if (!isHeld) return; // L1
      isHeld = false;
      const next = held.get(id)?.values().next().value;
      if (next === undefined) held.delete(id);
      else next.grant();
    };
  }

  async #wait(waiters: Set<Waiter>, options: LockOptions): Promise<void> {
    const { timeoutMs = lockTimeoutMsDefault, self } = options;
    if (waiters.size >= lockWaitersMax)
      throw new LockBusyError(`${lockWaitersMax} wait for this lock already: try again later`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      grant: () => {
        waiters.delete(waiter);
        resolve();
      },
      refuse: (error) => {
        waiters.delete(waiter);
        reject(error);
      },
    };
    waiters.add(waiter);
    const late = (): void =>
      waiter.refuse(new LockBusyError(`the lock was not free within ${timeoutMs} ms`));
    const cancel = timeoutMs === Infinity ? undefined : this.#kernel.clock.after(timeoutMs, late);
    const unwatch =
      self === undefined
        ? undefined
        : this.#kernel.monitor(self.pid, () =>
            waiter.refuse(new LockBusyError("the process that waited for the lock has ended")),
          );
    try {
      await promise;
    } finally {
      cancel?.();
      unwatch?.();
    }
  }
}
