import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { echoValidMs, hasExpired, mayAct, noLease, sessionTtlMs } from "../src/lease-state.ts";
import {
  downAfterMs,
  type Members,
  onBeat,
  onGone,
  onReconnected,
  onTick,
  suspectAfterMs,
} from "../src/membership-state.ts";

const beat = (node: string, incarnation = "1") => ({ node, incarnation, osPid: 1, sentMs: 0 });
const none: Members = new Map();

describe("membership", () => {
  test("a first beat is up, a silent node is probed, then down", () => {
    const up = onBeat(none, beat("b"), 0);
    expect(up.effects).toMatchObject([{ type: "up", member: { node: "b" } }]);
    expect(onTick(up.members, suspectAfterMs - 1).effects).toEqual([]);
    const suspect = onTick(up.members, suspectAfterMs);
    expect(suspect.effects).toMatchObject([{ type: "probe", member: { status: "suspect" } }]);
    const down = onTick(suspect.members, downAfterMs);
    expect(down.effects).toMatchObject([{ type: "down", gone: false }]);
    expect(down.members.size).toBe(0);
  });

  test("a suspect that beats again is up without a word", () => {
    const { members } = onTick(onBeat(none, beat("b"), 0).members, suspectAfterMs);
    const back = onBeat(members, beat("b"), suspectAfterMs + 1);
    expect(back.effects).toEqual([]);
    expect(back.members.get("b")?.status).toBe("up");
  });

  test("a new life of a node ends the old one first", () => {
    const { members } = onBeat(none, beat("b", "1"), 0);
    const next = onBeat(members, beat("b", "2"), 1);
    expect(next.effects.map(({ type, member }) => [type, member.incarnation])).toEqual([
      ["down", "1"],
      ["up", "2"],
    ]);
  });

  test("a node that was cut off itself counts all silence anew", () => {
    const { members } = onBeat(none, beat("b"), 0);
    const reconnected = onReconnected(members, downAfterMs);
    expect(onTick(reconnected, downAfterMs + 1).effects).toEqual([]);
  });

  test("news of another life's end changes nothing", () => {
    const { members } = onBeat(none, beat("b", "2"), 0);
    expect(onGone(members, "b", "1")).toEqual({ members, effects: [] });
  });
});

test("N2: nobody may take over while the owner may act, whatever the times of their messages", () => {
  const ms = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(ms, ms, ms, (sentMs, delayMs, laterMs) => {
      const owner = { ...noLease, lost: false, renewedMs: sentMs, echoedMs: sentMs + laterMs };
      const changedMs = sentMs + delayMs; // Others see a renewal after it was sent.
      const nowMs = sentMs + laterMs;
      expect(hasExpired(changedMs, nowMs) && mayAct(owner, nowMs)).toBe(false);
    }),
  );
});

test("an owner whose heartbeats do not come back stops, also with a fresh session", () => {
  const state = { renewedMs: 1_000, echoedMs: 1_000, lost: false };
  expect(mayAct(state, 1_000 + echoValidMs - 1)).toBe(true);
  expect(mayAct({ ...state, renewedMs: 2_000 }, 1_000 + echoValidMs)).toBe(false);
  expect(mayAct({ ...state, echoedMs: 9_000 }, 1_000 + sessionTtlMs)).toBe(false);
  expect(mayAct({ ...state, lost: true }, 1_000)).toBe(false);
});
