/**
 * Lets one client at a time write keys that were never there, in a bucket that a group of servers keeps.
 *
 * Such a write cannot be compared by the leader alone, and one that is refused makes the servers' sequences drift apart
 * (see `replicated-writes.ts`). The turn is a key: whoever changes it from free to taken has it. A client that was frozen
 * while it had the turn loses it, so a refusal is still possible, and safe; it is only kept from being the rule.
 *
 * @module
 */
import { type Clock, sleep } from "@coppice/kernel";
import { ConflictError } from "@coppice/net";
import type { KvEntry } from "@nats-io/kv";

const free = "free";
const taken = "taken";
/** How many writes one turn is for at most: others wait. */
const writesPerTurn = 256;
/** A turn that somebody else has is looked at so often, in milliseconds. */
const pollMs = 5;
/** It is over when it has not changed for so long: its holder is dead or frozen. In milliseconds. */
const holdMsMax = 2_000;

/** The key that says whose turn it is. */
export interface TurnKey {
  readonly read: () => Promise<KvEntry | null>;
  /** Without comparing: there is no key yet. */
  readonly make: (value: string) => Promise<unknown>;
  /** Returns the new revision. @throws {ConflictError} if another one was faster. */
  readonly replace: (value: string, revision: number) => Promise<number>;
}

interface Job {
  readonly write: () => Promise<void>;
  readonly fail: (thrown: unknown) => void;
}

export class FirstWrites {
  readonly #key: TurnKey;
  readonly #clock: Clock;
  #waiting: Job[] = [];
  #isRunning = false;

  constructor(key: TurnKey, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** Makes that write in a turn of this client's. */
  run<T>(write: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({ write: () => write().then(resolve, reject), fail: reject });
    if (!this.#isRunning) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0)
      try {
        const revision = await this.#take();
        const jobs = this.#waiting.splice(0, writesPerTurn);
        await Promise.all(jobs.map(({ write }) => write()));
        await this.#giveBack(revision);
      } catch (thrown) {
        for (const { fail } of this.#waiting.splice(0)) fail(thrown);
      }
    this.#isRunning = false;
  }

  async #take(): Promise<number> {
    let seen = { revision: 0, sinceMs: 0 };
    for (;;) {
      const found = await this.#key.read();
      const nowMs = this.#clock.now();
      if (found === null) {
        await this.#key.make(free);
        continue;
      }
      if (found.revision !== seen.revision) seen = { revision: found.revision, sinceMs: nowMs };
      if (found.string() === free || nowMs >= seen.sinceMs + holdMsMax)
        try {
          return await this.#key.replace(taken, found.revision);
        } catch (thrown) {
          if (!(thrown instanceof ConflictError)) throw thrown;
        }
      await sleep(this.#clock, pollMs);
    }
  }

  async #giveBack(revision: number): Promise<void> {
    try {
      await this.#key.replace(free, revision);
    } catch {
      // It took too long and another one has the turn, or the store does not answer: then the turn runs out.
    }
  }
}
