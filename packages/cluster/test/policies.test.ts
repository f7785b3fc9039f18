import fc from "fast-check";
import { expect, test } from "vitest";
import {
  echoValidMs,
  hasExpired,
  leaseMsDefault,
  leaseMsMax,
  leaseMsMin,
  mayAct,
  noLease,
} from "../src/lease-state.ts";
test("N2: nobody may take over while the owner may act, whatever the times of their messages", () => {
  const ms = fc.integer({ min: 0, max: 10_000 });
  const leases = fc.integer({ min: leaseMsMin, max: leaseMsMax });
  fc.assert(
    fc.property(ms, ms, ms, leases, (sentMs, delayMs, laterMs, leaseMs) => {
      const owner = { ...noLease, lost: false, renewedMs: sentMs, echoedMs: sentMs + laterMs };
      const changedMs = sentMs + delayMs; // Others see a renewal after it was sent.
      const nowMs = sentMs + laterMs;
      expect(hasExpired(changedMs, leaseMs, nowMs) && mayAct(owner, leaseMs, nowMs)).toBe(false);
    }),
  );
});

test("an owner whose heartbeats do not come back stops, also with a fresh session", () => {
  const leaseMs = leaseMsDefault;
  const state = { renewedMs: 1_000, echoedMs: 1_000, lost: false };
  expect(mayAct(state, leaseMs, 1_000 + echoValidMs - 1)).toBe(true);
  expect(mayAct({ ...state, renewedMs: 2_000 }, leaseMs, 1_000 + echoValidMs)).toBe(false);
  expect(mayAct({ ...state, echoedMs: 9_000 }, leaseMs, 1_000 + leaseMs)).toBe(false);
  expect(mayAct({ ...state, lost: true }, leaseMs, 1_000)).toBe(false);
});
