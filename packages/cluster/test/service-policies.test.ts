import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backOff, delayMsMax, type FailureHistory } from "../src/backoff-policy.ts";
import { type Here, reconcile } from "../src/reconcile-policy.ts";
import { streamsMax, TopicSequences, TopicStreams } from "../src/topic-sequence-state.ts";

const from = { node: "a", incarnation: "1" };

describe("numbers of broadcasts", () => {
  /** Batches of a stream, each of which is lost, delivered, delivered twice, or delivered late. */
  const batch = fc.record({
    count: fc.integer({ min: 1, max: 4 }),
    fate: fc.constantFrom("arrives", "is lost", "arrives twice"),
  });

  test("P1: what is accepted is in order and once, and every number left out is reported once", () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 30 }), (batches) => {
        const streams = new TopicStreams();
        const sequences = new TopicSequences();
        const accepted: number[] = [];
        let reported = 0;
        let sent = 0;
        let firstSeen: number | undefined;
        for (const { count, fate } of batches) {
          const { stream, first } = streams.take("t", count);
          expect(first).toBe(sent + 1);
          sent += count;
          if (fate === "is lost") continue;
          firstSeen ??= first;
          for (let time = 0; time < (fate === "arrives twice" ? 2 : 1); time += 1) {
            const { missed, repeated } = sequences.arrived(from, {
              topic: "t",
              stream,
              first,
              count,
            });
            reported += missed;
            for (let each = first + repeated; each < first + count; each += 1) accepted.push(each);
          }
        }
        for (const end of streams.ends()) reported += sequences.ended(from, end);
        expect(accepted).toEqual([...new Set(accepted)].sort((x, y) => x - y));
        if (firstSeen !== undefined) expect(accepted.length + reported).toBe(sent - firstSeen + 1);
      }),
    );
  });

  test("a stream that was forgotten begins anew, and is not taken for a loss", () => {
    const streams = new TopicStreams();
    const sequences = new TopicSequences();
    const before = streams.take("t", 5);
    sequences.arrived(from, { topic: "t", ...before, count: 5 });
    for (let other = 0; other < streamsMax; other += 1) streams.take(`other ${other}`, 1);
    const after = streams.take("t", 1);
    expect(after.first).toBe(1);
    expect(sequences.arrived(from, { topic: "t", ...after, count: 1 })).toEqual({
      missed: 0,
      repeated: 0,
    });
  });

  test("the end of a stream is said in four pulses after its last broadcast, then when it is asked for", () => {
    const streams = new TopicStreams();
    streams.take("t", 3);
    expect(streams.ends()).toMatchObject([{ topic: "t", last: 3 }]);
    for (let more = 0; more < 3; more += 1) expect(streams.ends()).toHaveLength(1);
    expect(streams.ends()).toEqual([]);
    streams.sayAgain();
    expect(streams.ends()).toMatchObject([{ topic: "t", last: 3 }]);
    expect(streams.ends()).toEqual([]);
    streams.take("t", 1);
    expect(streams.ends()).toMatchObject([{ last: 4 }]);
  });
});

describe("reconciling", () => {
  const view = fc.record({
    isWanted: fc.boolean(),
    here: fc.constantFrom<Here>("none", "standby", "active", "waiting"),
    designated: fc.constantFrom("here" as const, "elsewhere" as const, "nowhere" as const),
    isOurs: fc.boolean(),
  });

  test("an unwanted process is stopped; a wanted one that acts is never stopped, only moved", () => {
    fc.assert(
      fc.property(view, (each) => {
        const step = reconcile(each);
        if (!each.isWanted) expect(step).toBe(each.here === "none" ? "keep" : "stop");
        else if (each.here === "active") expect(["keep", "move"]).toContain(step);
      }),
    );
  });

  test("what this node owns or is to have is started and kept here", () => {
    fc.assert(
      fc.property(view, (each) => {
        if (!each.isWanted || !(each.isOurs || each.designated === "here")) return;
        const step = reconcile(each);
        if (each.here === "none") expect(step).toBe("start");
        else expect(step).not.toBe("stop");
      }),
    );
  });
});

test("after three starts at once a process that fails waits, longer each time, at most half a minute", () => {
  let history: FailureHistory = [];
  const delays: number[] = [];
  for (let failure = 0; failure < 14; failure += 1) {
    const next = backOff(history, failure, false);
    ({ history } = next);
    delays.push(next.delayMs);
  }
  expect(delays.slice(0, 6)).toEqual([0, 0, 0, 500, 1_000, 2_000]);
  expect(delays.at(-1)).toBe(delayMsMax);
  expect(backOff(history, 120_000, false).delayMs).toBe(0);
  expect(backOff([], 0, true).delayMs).toBeGreaterThan(0);
});
