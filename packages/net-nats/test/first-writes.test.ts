import { ConflictError, StoreUnavailableError } from "@coppice/net";
import { simulatedClock, type SimulatedClock } from "@coppice/testkit";
import { expect, test } from "vitest";
import { FirstWrites, type TurnKey } from "../src/first-writes.ts";

/** One key of a store, for several clients. */
class Turn implements TurnKey {
  value: string | undefined;
  revision = 0;
  isDown = false;

  readonly read: TurnKey["read"] = async () => {
    if (this.isDown) throw new StoreUnavailableError("read");
    const { value, revision } = this;
    return value === undefined ? null : ({ revision, string: () => value } as never);
  };

  readonly make: TurnKey["make"] = async (value) => this.#set(value);

  readonly replace: TurnKey["replace"] = async (value, revision) => {
    await Promise.resolve();
    if (revision !== this.revision) throw new ConflictError("turn");
    return this.#set(value);
  };

  #set(value: string): number {
    this.value = value;
    this.revision += 1;
    return this.revision;
  }
}

/** Lets everything happen that needs no more than so much time, in milliseconds. */
async function pass(clock: SimulatedClock, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 1) await clock.advance(1);
}

test("first writes of two clients do not overlap, and all are made", async () => {
  const clock = simulatedClock();
  const turn = new Turn();
  const clients = [new FirstWrites(turn, clock), new FirstWrites(turn, clock)];
  const writing = new Set<number>();
  const made: string[] = [];
  const jobs = Array.from({ length: 20 }, (_, number) => {
    const client = number % clients.length;
    return clients[client]!.run(async () => {
      writing.add(client);
      expect([...writing]).toEqual([client]);
      await Promise.resolve();
      writing.delete(client);
      return made.push(`${client}`);
    });
  });
  await pass(clock, 50);
  await Promise.all(jobs);
  expect(made).toHaveLength(20);
  expect(turn.value).toBe("free");
});

test("a turn that its holder does not give back runs out after two seconds", async () => {
  const clock = simulatedClock();
  const turn = new Turn();
  const frozen = new FirstWrites(turn, clock);
  void frozen.run(() => new Promise(() => {}));
  await pass(clock, 1);
  let isMade = false;
  const job = new FirstWrites(turn, clock).run(async () => void (isMade = true));
  await pass(clock, 1_900);
  expect(isMade).toBe(false);
  await pass(clock, 200);
  await job;
  expect(isMade).toBe(true);
});

test("what goes wrong with one write, or with the store, is told to whoever asked, and later writes are made", async () => {
  const clock = simulatedClock();
  const turn = new Turn();
  const writes = new FirstWrites(turn, clock);
  const failing = expect(writes.run(() => Promise.reject(new ConflictError("a")))).rejects.toThrow(
    ConflictError,
  );
  expect(await writes.run(async () => 1)).toBe(1);
  await failing;
  turn.isDown = true;
  await expect(writes.run(async () => 2)).rejects.toThrow(StoreUnavailableError);
  turn.isDown = false;
  expect(await writes.run(async () => 3)).toBe(3);
});
