/**
 * A store that misbehaves towards one of its users: slow, unavailable, stale reads, and writes that are made although
 * their answer is lost.
 *
 * It wraps any store, so that many users of one store see different faults. While it is unavailable its watches stand
 * still; afterwards they go on with everything they missed, in order.
 *
 * @module
 */
import { type Clock, type Random, sleep } from "@coppice/kernel";
import { type Change, type Entry, type Store, StoreUnavailableError } from "@coppice/net";

/** Faults of a store. */
export interface StoreFaults {
  /** Nothing is answered, and no write is made. */
  readonly unavailable: boolean;
  /** The share of writes that are made although they fail with {@link StoreUnavailableError}, 0 to 1. */
  readonly lostAcks: number;
  /** The share of reads that answer what a read of the same key answered before, 0 to 1. */
  readonly staleReads: number;
  /** How long an answer takes, evenly spread, in milliseconds. */
  readonly delayMs: readonly [min: number, max: number];
}

const none: StoreFaults = { unavailable: false, lostAcks: 0, staleReads: 0, delayMs: [0, 0] };

/** A store with faults, none at first. */
export interface FaultyStore extends Store {
  /** What happens from now on. */
  readonly set: (faults: Partial<StoreFaults>) => void;
}

export function faultyStore(
  inner: Store,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): FaultyStore {
  let faults = none;
  const before = new Map<string, Entry | undefined>();
  const standing = new Set<() => void>();
  const share = (): number => random.u32() / 2 ** 32;
  const answer = async (operation: string): Promise<void> => {
    const [min, max] = faults.delayMs;
    const late = min + share() * (max - min);
    if (late > 0) await sleep(clock, late);
    if (faults.unavailable) throw new StoreUnavailableError(operation);
  };
  const write = async <T>(operation: string, run: () => Promise<T>): Promise<T> => {
    await answer(operation);
    const result = await run();
    if (share() < faults.lostAcks) throw new StoreUnavailableError(operation);
    return result;
  };
  return {
    get: async (key) => {
      await answer(`get ${key}`);
      if (before.has(key) && share() < faults.staleReads) return before.get(key);
      const entry = await inner.get(key);
      before.set(key, entry);
      return entry;
    },
    create: (key, value) => write(`create ${key}`, () => inner.create(key, value)),
    update: (key, value, revision) =>
      write(`update ${key}`, () => inner.update(key, value, revision)),
    delete: (key, revision) => write(`delete ${key}`, () => inner.delete(key, revision)),
    watch: async (onChange, options) => {
      await answer("watch");
      const missed: Change[] = [];
      const goOn = (): void => {
        for (const change of missed.splice(0)) onChange(change);
      };
      const { stop } = await inner.watch((change) => {
        if (faults.unavailable) missed.push(change);
        else onChange(change);
      }, options);
      standing.add(goOn);
      return {
        stop: () => {
          standing.delete(goOn);
          stop();
        },
      };
    },
    close: () => inner.close(),
    set: (next) => {
      faults = { ...faults, ...next };
      if (!faults.unavailable) for (const goOn of standing) goOn();
    },
  };
}
