import { Pid } from "@coppice/kernel";
import { simulatedClock } from "@coppice/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AwayCall, AwayCalls } from "../src/away-calls.ts";
import { Deadlines } from "../src/deadlines.ts";

const target = new Pid("b", "life", 1);
const other = new Pid("b", "another", 1);
const value = (of: number) => ({ ok: true, value: of }) as const;

function calls() {
  const clock = simulatedClock();
  const away = new AwayCalls(new Deadlines(clock));
  const settled: string[] = [];
  const open = (to = target, timeoutMs = Infinity): AwayCall => {
    const call: AwayCall = away.open(
      { label: "b.run", target: to, timeoutMs },
      {
        resolve: (answer) => settled.push(`${call.id} ${String(answer)}`),
        reject: (error) => settled.push(`${call.id} ${error.message}`),
      },
    );
    return call;
  };
  return { clock, away, settled, open };
}

test("K4: whatever is open, answered in any order and answered twice, each call settles once with its own answer", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant("open"), fc.nat({ max: 2_000 })), { maxLength: 2_000 }),
      (steps) => {
        const { away, settled, open } = calls();
        const ids: number[] = [];
        const pending = new Set<number>();
        const expected: string[] = [];
        for (const step of [...Array.from({ length: 300 }, () => "open"), ...steps]) {
          if (typeof step === "string") {
            ids.push(open().id);
            pending.add(ids.at(-1)!);
          } else {
            const id = ids[step % ids.length]!;
            if (pending.delete(id)) expected.push(`${id} ${id}`);
            away.settle(id, value(id));
          }
        }
        expect(new Set(ids).size).toBe(ids.length);
        expect(settled).toEqual(expected);
        expect(away.size).toBe(pending.size);
      },
    ),
    { numRuns: 50 },
  );
});

test("an answer to a number that was never given, or that comes late, is dropped", () => {
  const { away, settled, open } = calls();
  const late = open();
  away.settle(late.id, value(1));
  for (let count = 0; count < 5_000; count += 1) away.settle(open().id, value(count));
  const before = settled.length;
  for (const id of [late.id, 0, 2 ** 40, Number.MAX_SAFE_INTEGER]) away.settle(id, value(0));
  expect(settled.length).toBe(before);
  expect(away.size).toBe(0);
});

test("when a node is lost the calls to that life of it fail in the order in which they were made", () => {
  const { away, settled, open } = calls();
  const lost = Array.from({ length: 600 }, () => open().id);
  const kept = open(other);
  away.failAll(
    (pid) => pid.incarnation === target.incarnation,
    () => ({ code: "noconnection", executed: "maybe", message: "lost" }),
  );
  expect(settled).toEqual(lost.map((id) => `${id} lost`));
  expect(away.size).toBe(1);
  away.settle(kept.id, value(1));
  expect(settled.at(-1)).toBe(`${kept.id} 1`);
});

test("a call whose time is up is over, and its answer is dropped", async () => {
  const { clock, away, settled, open } = calls();
  const { id } = open(target, 100);
  await clock.advance(200);
  expect(settled).toEqual([expect.stringContaining("100 ms")]);
  away.settle(id, value(1));
  expect(settled).toHaveLength(1);
});
