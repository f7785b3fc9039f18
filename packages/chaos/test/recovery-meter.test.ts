import { describe, expect, test } from "vitest";
import type { ExecutionEvent, FaultEvent } from "../src/history.ts";
import { RecoveryMeter } from "../src/real/recovery-meter.ts";

const ran = (node: string, atMs: number): ExecutionEvent => ({
  type: "execution",
  atMs,
  id: `${node} ${atMs}`,
  name: "name",
  node,
  pid: `${node}.life.1`,
  epoch: 1,
});
const fault = (kind: string, target: string, atMs: number, untilMs: number): FaultEvent => ({
  type: "fault",
  kind,
  targets: [target],
  atMs,
  untilMs,
});

function times(...events: (ExecutionEvent | FaultEvent)[]): Record<string, readonly number[]> {
  const meter = new RecoveryMeter();
  for (const event of events) meter.take(event);
  return Object.fromEntries(meter.times);
}

describe("how long a name was without an owner", () => {
  test("counts from the fault that hit its node until it runs elsewhere", () => {
    const events = [
      ran("a", 900),
      fault("kill", "a", 1_000, 3_000),
      ran("b", 1_450),
      ran("b", 1_500),
    ];
    expect(times(...events)).toEqual({ kill: [450] });
  });

  test("counts from the last call that the old process ran, where that is later", () => {
    const events = [fault("drain", "a", 1_000, 3_000), ran("b", 2_530)];
    expect(times(ran("a", 900), events[0]!, ran("a", 2_500), events[1]!)).toEqual({ drain: [30] });
  });

  test("says nothing of a name whose process served on, or of another node's", () => {
    const kill = fault("latency", "a", 1_000, 2_000);
    expect(times(ran("a", 900), kill, ran("a", 2_500), ran("b", 9_000))).toEqual({});
    expect(times(ran("b", 900), kill, ran("c", 1_100))).toEqual({});
  });
});
